import type { Comparison } from '../storage/search-store.js';
import type { ComparedNumber } from './search-request.js';

/** https://hl7.org/fhir/R4/search.html#prefix */
export const PREFIXES: readonly Comparison[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-+.\d])/;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
const MAX_DIGITS = 40;
/** `ap` takes a tenth more and less. */
const APPROXIMATION = 0.1;

/** Takes the prefix off a number or date; no prefix is `eq`. */
export function splitPrefix(text: string): { readonly comparison: Comparison; readonly rest: string } {
  const match = PREFIXED.exec(text);
  if (!match) return { comparison: 'eq', rest: text };
  return { comparison: match[1] as Comparison, rest: text.slice(2) };
}

/**
 * A number with its implicit precision, half a unit of its last digit (https://hl7.org/fhir/R4/search.html#number):
 * `100` is [99.5, 100.5), `100.00` is [99.995, 100.005). A power of ten without decimals counts as written with
 * one: `1e2` is [95, 105), as the specification has it. Undefined for anything else.
 */
export function parseComparedNumber(text: string): ComparedNumber | undefined {
  const { comparison, rest } = splitPrefix(text);
  const match = rest.length <= MAX_DIGITS ? DECIMAL.exec(rest) : null;
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = match[4] === undefined ? '' : '0', exponent = '0'] = match;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`) * 10n;
  const scale = Number(exponent) - fraction.length - 1;
  const value = Number(rest);
  const range = { low: Number(`${digits - 5n}e${scale}`), high: Number(`${digits + 5n}e${scale}`) };
  if (!Number.isFinite(value)) return undefined;
  return { comparison, value, ...(comparison === 'ap' ? approximated(value, range) : range) };
}

function approximated(
  value: number,
  { low, high }: { low: number; high: number },
): { low: number; high: number } {
  const margin = Math.abs(value) * APPROXIMATION;
  return { low: Math.min(low, value - margin), high: Math.max(high, value + margin) };
}
