import { stringifyJson } from '../fhir/json.js';

/** Each resource is one line: https://hl7.org/fhir/R4/nd-json.html */
export const NDJSON = 'application/fhir+ndjson';

const LINE_FEED = 0x0a;

/** The lines of a text, each without its line feed. */
export function* linesOf(text: Uint8Array): Iterable<Uint8Array> {
  for (let start = 0; start < text.length;) {
    const found = text.indexOf(LINE_FEED, start);
    const end = found < 0 ? text.length : found;
    yield text.subarray(start, end);
    start = end + 1;
  }
}

/** The first `count` lines of a text, with their line feeds. */
export function firstLines(text: Uint8Array, count: number): Uint8Array {
  let end = 0;
  for (let line = 0; line < count && end < text.length; line++) {
    const found = text.indexOf(LINE_FEED, end);
    end = found < 0 ? text.length : found + 1;
  }
  return text.subarray(0, end);
}

/** A resource as a line. */
export function toLine(resource: object): Uint8Array {
  return Buffer.from(`${stringifyJson(resource)}\n`);
}
