import { isUtf8 } from 'node:buffer';
import { FhirError } from '../model/errors.js';
import { diagnoseJson } from './json/diagnose.js';
import { markLiterals, rawNumbers, restoreLiterals } from './json/number-texts.js';
import { type JsonLimits, scanJson, scanLiterals } from './json/scan.js';

export type { JsonLimits } from './json/scan.js';
export { copyNumberTexts, NUMBER_TEXTS, numberText } from './json/number-texts.js';

/** 64 levels: the deepest resource of the FHIR R4 examples has 17. No object of FHIR has 2,000 members. */
export const DEFAULT_JSON_LIMITS: JsonLimits = {
  maxDepth: 64,
  maxValues: 4_000_000,
  maxMembers: 2000,
  maxKeyLength: 256,
  maxNumberLength: 1000,
};

/**
 * Parses JSON that nobody vouches for. What other parsers let pass in silence is refused: invalid UTF-8, a byte
 * order mark, duplicate keys, `__proto__`, NUL, lone surrogates, numbers that are not finite, and what is beyond the
 * limits, which is checked before anything is built.
 *
 * Numbers become JavaScript numbers; a literal that this would change (`1.00`, `1e2`, 18 digits) is remembered
 * under NUMBER_TEXTS of its holder, and `stringifyJson` writes it back (https://hl7.org/fhir/R4/json.html#decimal).
 *
 * Throws FhirError MALFORMED_JSON, with line and column.
 */
export function parseJson(source: Uint8Array | string, limits: JsonLimits = DEFAULT_JSON_LIMITS): unknown {
  const text = typeof source === 'string' ? checkedText(source) : decodeUtf8(source);
  const scan = scanJson(text, limits);
  const value = scan === undefined ? FAULT : tryParse(markLiterals(text, scan.literals));
  if (scan === undefined || value === FAULT || countMembers(value) !== scan.members) {
    throw diagnoseJson(text, limits);
  }
  return scan.literals.length === 0 ? value : restoreLiterals(value);
}

/** Parses text that `stringifyJson` wrote: number texts are kept, hostile input is not looked for. */
export function parseStored(text: string): unknown {
  const literals = scanLiterals(text);
  return literals.length === 0 ? JSON.parse(text) : restoreLiterals(JSON.parse(markLiterals(text, literals)));
}

/** Compact JSON, with every number as it was written by the client. */
export function stringifyJson(value: object): string {
  return JSON.stringify(rawNumbers(value));
}

/** JSON for people: indented by two spaces. */
export function stringifyPretty(value: object): string {
  return JSON.stringify(rawNumbers(value), null, 2);
}

const FAULT: unique symbol = Symbol('fault');

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return FAULT;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new FhirError('MALFORMED_JSON', 'The body is not valid UTF-8.');
  return withoutMark(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

function checkedText(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new FhirError('MALFORMED_JSON', 'The text has a lone surrogate.');
  return withoutMark(text);
}

function withoutMark(text: string): string {
  if (text.charCodeAt(0) === 0xfeff) {
    throw new FhirError(
      'MALFORMED_JSON',
      'The body begins with a byte order mark (U+FEFF); send it without.',
    );
  }
  return text;
}

/** How many members all objects have; NaN if one is named `__proto__`, so that the count never fits. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  for (const key of Object.keys(value)) {
    count += key === '__proto__' ? NaN : 1 + countMembers((value as Record<string, unknown>)[key]);
  }
  return count;
}
