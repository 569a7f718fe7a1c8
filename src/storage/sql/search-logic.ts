/** Conditions of one kind, put together. */
export type Logic<Leaf> =
  /** `none` never holds. */
  | { readonly kind: 'none' }
  | AllOf<Leaf>
  | { readonly kind: 'any'; readonly of: readonly (Leaf | Logic<Leaf>)[] }
  | { readonly kind: 'not'; readonly of: Leaf | Logic<Leaf> };

interface AllOf<Leaf> {
  readonly kind: 'all';
  readonly of: readonly (Leaf | Logic<Leaf>)[];
}

/** What every condition has. */
interface Kind {
  readonly kind: string;
}

/** Never holds. */
export const NONE = { kind: 'none' } as const;
const ALWAYS = { kind: 'all', of: [] } as const;

/** Every part holds; parts of parts stand beside one another. */
export function allOf<Leaf extends Kind>(parts: readonly (Leaf | Logic<Leaf>)[]): Leaf | Logic<Leaf> {
  const flat = parts.flatMap((part) => (isAll(part) ? part.of : [part]));
  if (flat.some((part) => part.kind === 'none')) return NONE;
  const [only] = flat;
  return flat.length === 1 && only ? only : { kind: 'all', of: flat };
}

/** At least one part holds. */
export function anyOf<Leaf extends Kind>(parts: readonly (Leaf | Logic<Leaf>)[]): Leaf | Logic<Leaf> {
  if (parts.some(isAlways)) return ALWAYS;
  const possible = parts.filter((part) => part.kind !== 'none');
  const [only] = possible;
  if (only === undefined) return NONE;
  return possible.length === 1 ? only : { kind: 'any', of: possible };
}

/** The part does not hold. */
export function negated<Leaf extends Kind>(part: Leaf | Logic<Leaf>): Leaf | Logic<Leaf> {
  if (isAlways(part)) return NONE;
  return part.kind === 'none' ? ALWAYS : { kind: 'not', of: part };
}

function isAll<Leaf extends Kind>(part: Leaf | Logic<Leaf>): part is AllOf<Leaf> {
  return part.kind === 'all';
}

/** An empty list writes no SQL, so that it must never stand below "or" or "not". */
function isAlways<Leaf extends Kind>(part: Leaf | Logic<Leaf>): boolean {
  return isAll(part) && part.of.length === 0;
}
