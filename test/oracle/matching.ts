import type { Quantity } from 'fhir/r4.js';
import { addDecimals, compareDecimals, decimal, halfUnit, negate, type Decimal } from './decimals.js';
import type { ReferenceValue, TokenValue } from './parameter-values.js';
import { splitPrefix, splitUnescaped, unescapeValue, type Prefix } from './query-text.js';
import { spanOf, type TimeSpan } from './time-spans.js';

/** Text without case, accents and needless white space. */
export function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().trim().replaceAll(/\s+/g, ' ');
}

/** https://hl7.org/fhir/R4/search.html#string; `asked` is escaped still. */
export function isString(value: string, asked: string, modifier: string | undefined): boolean {
  const text = unescapeValue(asked);
  if (modifier === 'exact') return value === text;
  return modifier === 'contains' ? plain(value).includes(plain(text)) : plain(value).startsWith(plain(text));
}

/** `code`, `system|code`, `|code` and `system|`. */
export function isToken(value: TokenValue, asked: string): boolean {
  const [first = '', second] = splitUnescaped(asked, '|').map(unescapeValue);
  if (second === undefined) return value.code === first;
  if (first === '') return value.system === undefined && value.code === second;
  return value.system === first && (second === '' || value.code === second);
}

/** `:of-type` with `system|code|value`. */
export function isOfType({ code, types }: TokenValue, asked: string): boolean {
  const [system, type, value] = splitUnescaped(asked, '|').map(unescapeValue);
  return code === value && types.some((one) => one.system === system && one.code === type);
}

/** `:text` is a string search. */
export function isTokenText({ texts }: TokenValue, asked: string): boolean {
  return texts.some((text) => isString(text, asked, undefined));
}

/** `:below` of a URL leads down its path, `:above` up; a URN has neither. */
export function isUri(value: string, asked: string, modifier: string | undefined): boolean {
  const uri = unescapeValue(asked);
  if (modifier === 'below') return isBelow(value, uri);
  if (modifier === 'above') return isBelow(uri, value);
  return value === uri;
}

function isBelow(lower: string, upper: string): boolean {
  return lower === upper || lower.startsWith(upper.endsWith('/') ? upper : `${upper}/`);
}

/** How references of a server are read. */
export interface ReferenceReading {
  /** What the server's own absolute URLs begin with. */
  readonly base: string;
  /** Types that an id alone may be of; empty means any. */
  readonly types: readonly string[];
}

/** `id`, `Type/id` and URLs; a canonical without version means every version. */
export function isReference({ target }: ReferenceValue, asked: string, reading: ReferenceReading): boolean {
  const text = unescapeValue(asked);
  const own = relative(target, reading.base);
  const wanted = relative(text, reading.base);
  if (/^[A-Za-z0-9.-]{1,64}$/.test(text)) {
    const [type = '', id, ...more] = own.split('/');
    return id === text && more.length === 0 && (reading.types.length === 0 || reading.types.includes(type));
  }
  return own === wanted || (!text.includes('|') && own.startsWith(`${text}|`));
}

/** `Type/id` of what the server has itself; other targets as they are. */
export function relative(target: string, base: string): string {
  return target.startsWith(`${base}/`) ? target.slice(base.length + 1) : target;
}

/** https://hl7.org/fhir/R4/search.html#date; `now` in milliseconds, for `ap`. */
export function isDate(value: TimeSpan, asked: string, now: number): boolean {
  const { prefix, text } = splitPrefix(unescapeValue(asked));
  const search = spanOf(text);
  if (prefix !== 'ap') return compareSpans(value, search, prefix);
  const margin = Math.abs(now - search.from) / 10;
  return value.from < search.to + margin && value.to > search.from - margin;
}

function compareSpans(target: TimeSpan, search: TimeSpan, prefix: Exclude<Prefix, 'ap'>): boolean {
  const contained = search.from <= target.from && target.to <= search.to;
  switch (prefix) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return target.to > search.to;
    case 'lt':
      return target.from < search.from;
    case 'ge':
      return target.to > search.to || contained;
    case 'le':
      return target.from < search.from || contained;
    case 'sa':
      return target.from >= search.to;
    case 'eb':
      return target.to <= search.from;
  }
}

/** https://hl7.org/fhir/R4/search.html#number */
export function isNumber(value: number, asked: string): boolean {
  return compareNumbers(decimal(String(value)), unescapeValue(asked));
}

function compareNumbers(value: Decimal, asked: string, power = 0): boolean {
  const { prefix, text } = splitPrefix(asked);
  const shift = (one: Decimal): Decimal => ({ ...one, exponent: one.exponent + power });
  const search = decimal(text);
  const half = halfUnit(search, text);
  const distance = compareDecimals(value, shift(search));
  const low = shift(addDecimals(search, negate(half)));
  const isWithin =
    compareDecimals(value, low) >= 0 && compareDecimals(value, shift(addDecimals(search, half))) < 0;
  switch (prefix) {
    case 'eq':
      return isWithin;
    case 'ne':
      return !isWithin;
    case 'gt':
    case 'sa':
      return distance > 0;
    case 'lt':
    case 'eb':
      return distance < 0;
    case 'ge':
      return distance >= 0;
    case 'le':
      return distance <= 0;
    case 'ap':
      return isWithin || isAbout(value, shift(search));
  }
}

/** "The recommended value is 10% of the stated value". */
function isAbout(value: Decimal, search: Decimal): boolean {
  const size = search.digits < 0n ? negate(search) : search;
  const margin = { ...size, exponent: size.exponent - 1 };
  return (
    compareDecimals(value, addDecimals(search, negate(margin))) >= 0 &&
    compareDecimals(value, addDecimals(search, margin)) <= 0
  );
}

export const UCUM = 'http://unitsofmeasure.org';

/** Units of mass as powers of ten of a gram: what the samples need of UCUM. */
const GRAMS: Readonly<Record<string, number>> = { ug: -6, mg: -3, g: 0, kg: 3 };

/** `number`, `number|system|code` and `number||code`, https://hl7.org/fhir/R4/search.html#quantity. */
export function isQuantity({ value, system, code, unit }: Quantity, asked: string): boolean {
  const [number = '', askedSystem = '', askedCode = ''] = splitUnescaped(asked, '|').map(unescapeValue);
  if (value === undefined) return false;
  const found = decimal(String(value));
  if (askedCode === '' && askedSystem === '') return compareNumbers(found, number);
  if (askedSystem === '') return (code === askedCode || unit === askedCode) && compareNumbers(found, number);
  if (system !== askedSystem) return false;
  if (askedCode === '' || code === askedCode) return compareNumbers(found, number);
  const [from, to] = [GRAMS[code ?? ''], GRAMS[askedCode]];
  if (system !== UCUM || from === undefined || to === undefined) return false;
  return compareNumbers({ ...found, exponent: found.exponent + from }, number, to);
}

const EARTH_KM = 6371;
/** The units that the samples ask in. */
const KILOMETRES: Readonly<Record<string, number>> = { km: 1, '[mi_us]': 1.609347 };

/** `latitude|longitude|distance|unit`, on a sphere; kilometres where no unit is said. */
export function isNear(
  { latitude, longitude }: { readonly latitude: number; readonly longitude: number },
  asked: string,
): boolean {
  const [lat = '', long = '', distance = '', unit = 'km'] = splitUnescaped(asked, '|').map(unescapeValue);
  const [phi, other] = [radians(latitude), radians(Number(lat))];
  const haversine =
    Math.sin((phi - other) / 2) ** 2 +
    Math.cos(phi) * Math.cos(other) * Math.sin(radians(longitude - Number(long)) / 2) ** 2;
  return (
    2 * EARTH_KM * Math.asin(Math.sqrt(haversine)) <= Number(distance) * (KILOMETRES[unit] ?? Number.NaN)
  );
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
