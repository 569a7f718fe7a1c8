import { isResourceType } from './definitions.js';

/** What a literal reference names. */
export interface LiteralTarget {
  readonly type: string;
  readonly id: string;
  /** The part before `Type/id`, with its slash: empty for a relative reference. */
  readonly base: string;
}

const HISTORY = '/_history/';

/**
 * Reads `Patient/1`, `Patient/1/_history/2` and `https://other.example/fhir/Patient/1`; the version is not
 * part of the answer. Undefined for anything else: `#contained`, `urn:uuid:…`, `Patient?identifier=1`.
 */
export function literalReference(text: string): LiteralTarget | undefined {
  const history = text.indexOf(HISTORY);
  const end = history < 0 ? text.length : history;
  const idStart = text.lastIndexOf('/', end - 1) + 1;
  if (idStart < 2) return undefined;
  const typeStart = text.lastIndexOf('/', idStart - 2) + 1;
  const type = text.slice(typeStart, idStart - 1);
  const id = text.slice(idStart, end);
  if (!isResourceType(type) || !isId(id)) return undefined;
  const base = text.slice(0, typeStart);
  return base === '' || base.includes('://') ? { type, id, base } : undefined;
}

/** https://hl7.org/fhir/R4/datatypes.html#id */
function isId(text: string): boolean {
  return /^[A-Za-z0-9.-]{1,64}$/.test(text);
}
