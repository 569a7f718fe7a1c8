/** A reference to a conformance resource: https://hl7.org/fhir/R4/references.html#canonical */
export interface Canonical {
  readonly url: string;
  /** Undefined: the newest. */
  readonly version: string | undefined;
}

/** Reads `url` or `url|version`. A fragment belongs to neither. */
export function parseCanonical(text: string): Canonical {
  const bar = text.indexOf('|');
  if (bar < 0) return { url: text, version: undefined };
  return { url: text.slice(0, bar), version: text.slice(bar + 1) || undefined };
}

/** The reverse of `parseCanonical`. */
export function toCanonical(url: string, version: string | undefined): string {
  return version === undefined ? url : `${url}|${version}`;
}

/** Negative where `one` is the older version: numbers in them count as numbers, and none is the oldest. */
export function compareVersions(one: string | undefined, other: string | undefined): number {
  const [ours, theirs] = [partsOf(one), partsOf(other)];
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const order = compareParts(ours[index] ?? '', theirs[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function partsOf(version: string | undefined): readonly string[] {
  return version?.match(/\d+|\D+/g) ?? [];
}

function compareParts(one: string, other: string): number {
  const numbers = /^\d/.test(one) && /^\d/.test(other);
  if (numbers && Number(one) !== Number(other)) return Number(one) - Number(other);
  return one < other ? -1 : Number(one > other);
}
