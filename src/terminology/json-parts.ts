/** Reads parts of stored resources, of which nothing is trusted: what has another shape counts as left out. */

/** A JSON object whose members are not known. */
export type JsonPart = Readonly<Record<string, unknown>>;

/** The objects of a list; empty for anything else. */
export function partsOf(value: unknown): readonly JsonPart[] {
  return Array.isArray(value) ? value.filter(isPart) : [];
}

/** The value as text; undefined for anything else and for the empty text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The texts of a list; empty for anything else. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** Whether the value is a JSON object. */
export function isPart(value: unknown): value is JsonPart {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
