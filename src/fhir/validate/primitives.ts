/** Longest string, in UTF-16 units (https://hl7.org/fhir/R4/datatypes.html#string: 1024 * 1024 characters). */
const MAX_STRING_LENGTH = 1024 * 1024;
const MAX_INTEGER = 2_147_483_647;

const YEAR = '(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)';
const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = '(?:0[1-9]|[12][0-9]|3[01])';
const TIME = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]+)?';
const ZONE = '(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))';

const DATE = new RegExp(`^${YEAR}(?:-${MONTH}(?:-${DAY})?)?$`);
const DATE_TIME = new RegExp(`^${YEAR}(?:-${MONTH}(?:-${DAY}(?:T${TIME}${ZONE})?)?)?$`);
const INSTANT = new RegExp(`^${YEAR}-${MONTH}-${DAY}T${TIME}${ZONE}$`);
const TIME_OF_DAY = new RegExp(`^${TIME}$`);

const ID = /^[A-Za-z0-9.-]{1,64}$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OID_START = /^urn:oid:[0-2]\./;
const OID_FAULT = /[^0-9.]|\.\.|\.$|\.0[0-9]/;
const SPACE = /[ \t\r\n]/;
const CODE_FAULT = /^[ \t\r\n]|[ \t\r\n]$|[ \t\r\n]{2}/;
const NOT_BASE64 = /[^A-Za-z0-9+/= \t\r\n]/;
const AFTER_PADDING = /[^= \t\r\n]/;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** One primitive datatype of https://hl7.org/fhir/R4/datatypes.html#primitive as JSON. */
export interface Primitive {
  /** The JSON type that its values have. */
  readonly json: 'string' | 'number' | 'boolean';
  /** Whether the value is one. Takes time linear in the length of the value. */
  readonly accepts: (value: unknown) => boolean;
  /** What is expected, to end a sentence with. */
  readonly expected: string;
}

/**
 * Every primitive datatype but `xhtml`. No expression here backtracks over input: the specification's own
 * expressions for code, oid and base64Binary do, so they are written as searches for a fault.
 */
export const PRIMITIVES = {
  boolean: { json: 'boolean', accepts: (value) => typeof value === 'boolean', expected: 'true or false' },
  integer: {
    json: 'number',
    accepts: (value) => isInteger(value, -MAX_INTEGER - 1),
    expected: 'a whole number from -2147483648 to 2147483647',
  },
  unsignedInt: {
    json: 'number',
    accepts: (value) => isInteger(value, 0),
    expected: 'a whole number from 0 to 2147483647',
  },
  positiveInt: {
    json: 'number',
    accepts: (value) => isInteger(value, 1),
    expected: 'a whole number from 1 to 2147483647',
  },
  decimal: { json: 'number', accepts: Number.isFinite, expected: 'a number' },
  string: text(isText, 'text that is not empty, has no control characters and at most 1,048,576 characters'),
  markdown: text(
    isText,
    'text that is not empty, has no control characters and at most 1,048,576 characters',
  ),
  code: text(isCode, 'a code without spaces at its ends and without two spaces together'),
  id: text((value) => ID.test(value), '1 to 64 letters, digits, "-" and "."'),
  uri: text(isUri, 'a URI without spaces'),
  url: text(isUri, 'a URL without spaces'),
  canonical: text(isUri, 'a canonical URL without spaces'),
  oid: text(isOid, 'an OID as in urn:oid:1.2.3'),
  uuid: text(
    (value) => UUID.test(value),
    'a UUID as in urn:uuid:c757873d-ec9a-4326-a141-556f43239520, in lower case',
  ),
  base64Binary: text(isBase64, 'base64 text, padded to a multiple of four characters'),
  date: text(
    (value) => DATE.test(value) && isCalendarDay(value),
    'YYYY, YYYY-MM or YYYY-MM-DD, a day that exists',
  ),
  dateTime: text(
    (value) => DATE_TIME.test(value) && isCalendarDay(value),
    'YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset, a day that exists',
  ),
  instant: text(
    (value) => INSTANT.test(value) && isCalendarDay(value),
    'YYYY-MM-DDThh:mm:ss with Z or an offset, a day that exists',
  ),
  time: text((value) => TIME_OF_DAY.test(value), 'hh:mm:ss'),
} as const satisfies Record<string, Primitive>;

/** Name of a primitive datatype. */
export type PrimitiveName = keyof typeof PRIMITIVES;

/** Whether the name is that of a primitive datatype (but `xhtml`). */
export function isPrimitive(name: string): name is PrimitiveName {
  return Object.hasOwn(PRIMITIVES, name);
}

function text(matches: (value: string) => boolean, expected: string): Primitive {
  return { json: 'string', accepts: (value) => typeof value === 'string' && matches(value), expected };
}

function isInteger(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_INTEGER;
}

function isText(value: string): boolean {
  return value.length > 0 && value.length <= MAX_STRING_LENGTH && !CONTROL.test(value);
}

function isCode(value: string): boolean {
  return isText(value) && !CODE_FAULT.test(value);
}

function isUri(value: string): boolean {
  return isText(value) && !SPACE.test(value);
}

function isOid(value: string): boolean {
  return OID_START.test(value) && !OID_FAULT.test(value.slice('urn:oid:'.length));
}

function isBase64(value: string): boolean {
  if (value.length === 0 || NOT_BASE64.test(value)) return false;
  const padding = value.indexOf('=');
  const end = padding === -1 ? value.length : padding;
  const digits = end - countSpaces(value, 0, end);
  const padded = value.length - end - countSpaces(value, end, value.length);
  return digits > 0 && padded <= 2 && (digits + padded) % 4 === 0 && !AFTER_PADDING.test(value.slice(end));
}

function countSpaces(value: string, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index += 1) if (value.charCodeAt(index) <= 32) count += 1;
  return count;
}

/** Of a date that the expressions above accept: whether its month has that day. */
function isCalendarDay(value: string): boolean {
  const day = Number(value.slice(8, 10));
  if (day <= 28) return true;
  return day <= daysIn(Number(value.slice(0, 4)), Number(value.slice(5, 7)));
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
