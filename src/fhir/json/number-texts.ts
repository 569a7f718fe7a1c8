/**
 * Under this symbol an object remembers the source text of those of its numbers that JavaScript would write
 * differently, by member name. Resources and documents that hold such an object somewhere below carry the symbol
 * too, possibly with no names. It is an enumerable own property, so that `{ ...resource }` keeps it; `Object.keys`,
 * `for in` and `JSON.stringify` do not see it.
 */
export const NUMBER_TEXTS: unique symbol = Symbol('number texts');

type NumberTexts = Readonly<Record<string, string>>;
type Holder = Record<string, unknown> & { [NUMBER_TEXTS]?: NumberTexts };

/** Marks a resource below which some number has a text. */
const BELOW: NumberTexts = Object.freeze({});

const rawJson = (JSON as JSON & { rawJSON(text: string): object }).rawJSON;

/** The text of the number `holder[key]` as the client wrote it, or as JavaScript writes it; undefined for anything else. */
export function numberText(holder: object, key: string): string | undefined {
  const value = (holder as Holder)[key];
  if (typeof value !== 'number') return undefined;
  return rememberedText(holder as Holder, key, value) ?? String(value);
}

/** `to`, or a copy of it that has the number texts of `from`: for an object that was built from the members of another. */
export function copyNumberTexts<T extends object>(from: object, to: T): T {
  const texts = (from as Holder)[NUMBER_TEXTS];
  return texts === undefined ? to : { ...to, [NUMBER_TEXTS]: { ...(to as Holder)[NUMBER_TEXTS], ...texts } };
}

/** A copy with the member, whose text, if it is a number that has one, is `text`; an earlier text is forgotten. */
export function withMember<T extends object>(holder: T, key: string, value: unknown, text?: string): T {
  const { [key]: _forgotten, ...texts } = (holder as Holder)[NUMBER_TEXTS] ?? {};
  const added = text === undefined ? texts : { ...texts, [key]: text };
  const hasTexts = NUMBER_TEXTS in holder || text !== undefined;
  return { ...holder, [key]: value, ...(hasTexts ? { [NUMBER_TEXTS]: added } : {}) };
}

/** A copy without the member. */
export function withoutMember<T extends object>(holder: T, key: string): T {
  const { [key]: _removed, ...rest } = holder as Holder;
  return rest as T;
}

/** Writes each literal, given as start and end in turn, as a string that begins with NUL, which no other string does. */
export function markLiterals(text: string, literals: readonly number[]): string {
  if (literals.length === 0) return text;
  let marked = '';
  let from = 0;
  for (let i = 0; i < literals.length; i += 2) {
    const end = literals[i + 1]!;
    marked += `${text.slice(from, literals[i])}"\\u0000${text.slice(literals[i], end)}"`;
    from = end;
  }
  return marked + text.slice(from);
}

/** Turns the marked strings of a freshly parsed document into numbers, in place, and remembers their texts. */
export function restoreLiterals(root: unknown): unknown {
  if (isMarked(root)) return Number(root.slice(1));
  if (restoreBelow(root)) (root as Holder)[NUMBER_TEXTS] ??= BELOW;
  return root;
}

function restoreBelow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const holder = value as Holder;
  let found = false;
  for (const key of Object.keys(holder)) {
    const member = holder[key];
    if (isMarked(member)) restoreOne(holder, key, member.slice(1));
    else if (!restoreBelow(member)) continue;
    found = true;
  }
  if (found && 'resourceType' in holder) holder[NUMBER_TEXTS] ??= BELOW;
  return found;
}

function restoreOne(holder: Holder, key: string, text: string): void {
  holder[key] = Number(text);
  holder[NUMBER_TEXTS] = { ...holder[NUMBER_TEXTS], [key]: text };
}

function isMarked(value: unknown): value is string {
  return typeof value === 'string' && value.charCodeAt(0) === 0;
}

/**
 * The value with every number that has a text replaced by it, for `JSON.stringify`. The value itself, untouched,
 * where there is none.
 */
export function rawNumbers(value: object): object {
  return hasNumberTexts(value) ? (rawBelow(value) as object) : value;
}

/** Whether this document, or a resource that this Bundle or Parameters was put together from, has number texts. */
export function hasNumberTexts(value: object): boolean {
  if (NUMBER_TEXTS in value) return true;
  const { entry, parameter } = value as Holder;
  return someResource(entry) || someResource(parameter);
}

function someResource(parts: unknown): boolean {
  if (!Array.isArray(parts)) return false;
  return parts.some(
    (part: unknown) => isObject(part) && isObject(part.resource) && hasNumberTexts(part.resource),
  );
}

function isObject(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}

function rawBelow(value: unknown): unknown {
  if (!isObject(value)) return value;
  let copy: Record<string, unknown> | undefined;
  const hasTexts = NUMBER_TEXTS in value;
  for (const key of Object.keys(value)) {
    const member = value[key];
    const raw = hasTexts && typeof member === 'number' ? rawNumber(value, key, member) : rawBelow(member);
    if (raw === member) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = raw;
  }
  return copy ?? value;
}

function rawNumber(holder: Holder, key: string, value: number): unknown {
  const text = rememberedText(holder, key, value);
  return text === undefined ? value : rawJson(text);
}

/** A text counts only as long as the number is still the one that it was read as. */
function rememberedText(holder: Holder, key: string, value: number): string | undefined {
  const texts = holder[NUMBER_TEXTS];
  const text = texts !== undefined && Object.hasOwn(texts, key) ? texts[key] : undefined;
  return text !== undefined && Object.is(Number(text), value) ? text : undefined;
}
