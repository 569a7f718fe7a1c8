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
  return NATURAL.compare(one ?? '', other ?? '');
}

const NATURAL = new Intl.Collator('en', { numeric: true });
