import { isDeepStrictEqual } from 'node:util';
import type { ComponentCondition, Condition, ContainedCondition, ElementCondition } from './search-store.js';

/** Types that have one condition together. */
export interface TypeGroup {
  readonly types: readonly string[];
  readonly where: Condition;
}

/** What is asked of each of several types, with one condition for those that are asked the same. */
export function combineAll(
  asked: readonly { readonly type: string; readonly where: Condition }[],
): readonly TypeGroup[] {
  const groups: TypeGroup[] = [];
  for (const { type, where } of asked) {
    const at = groups.findIndex((group) => combine(group.where, where) !== null);
    const group = groups[at];
    if (group === undefined) groups.push({ types: [type], where });
    else groups[at] = { types: [...group.types, type], where: combine(group.where, where) ?? where };
  }
  return groups;
}

/** One condition that stands for both, each for its own type; null where they ask for different things. */
function combine(a: Condition, b: Condition): Condition | null {
  if (a.kind === 'not' && b.kind === 'not') {
    const of = combine(a.of, b.of);
    return of && { kind: 'not', of };
  }
  if ((a.kind === 'all' && b.kind === 'all') || (a.kind === 'any' && b.kind === 'any')) {
    const of = a.of.length === b.of.length ? a.of.map((part, at) => combine(part, b.of[at]!)) : [null];
    return of.every((part) => part !== null) ? { kind: a.kind, of } : null;
  }
  if ((a.kind === 'index' && b.kind === 'index') || (a.kind === 'chain' && b.kind === 'chain'))
    return combineRows(a, b);
  if (a.kind === 'element' && b.kind === 'element') return combineElements(a, b);
  if (a.kind === 'contained' && b.kind === 'contained') return combineContained(a, b);
  return isDeepStrictEqual(a, b) ? a : null;
}

type Rows = Extract<Condition, { kind: 'index' | 'chain' }>;

/** Index rows say themselves which type they are of, so that those of several types stand beside one another. */
function combineRows<Asked extends Rows>(a: Asked, b: Rows | undefined): Asked | null {
  if (b === undefined) return null;
  const { type, paths, others: _further, ...asked } = b;
  const { type: _first, paths: _own, others = [], ...askedFirst } = a;
  if (!isDeepStrictEqual(askedFirst, asked)) return null;
  return { ...a, others: [...others, { type, paths }] };
}

/** What is contained is asked the same whoever refers to it. */
function combineContained(a: ContainedCondition, b: ContainedCondition): Condition | null {
  if (a.via === null || b.via === null) return isDeepStrictEqual(a, b) ? a : null;
  const isSame = a.type === b.type && isDeepStrictEqual(a.where, b.where);
  return isSame ? { ...a, via: [...a.via, ...b.via] } : null;
}

/** Elements are of one resource, so that their rows stand beside those of other types in the same way. */
function combineElements(a: ElementCondition, b: ElementCondition): Condition | null {
  if (a.parts.length !== b.parts.length) return null;
  const parts = a.parts.map((part, at) => combineParts(part, b.parts[at] ?? []));
  return parts.every((part) => part !== null) ? { kind: 'element', parts } : null;
}

function combineParts(
  a: readonly ComponentCondition[],
  b: readonly ComponentCondition[],
): readonly ComponentCondition[] | null {
  const part = a.length === b.length ? a.map((one, at) => combineRows(one, b[at])) : [null];
  return part.every((one) => one !== null) ? part : null;
}
