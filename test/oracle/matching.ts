import { addDecimals, compareDecimals, decimal, halfUnit, negate, type Decimal } from './decimals.js';
import type { Amount, ReferenceValue, TokenValue } from './parameter-values.js';
import { isInValueSet, isKindOf } from './sample-codes.js';
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
  if (modifier === 'text')
    return wordsIn(text).every((word) => wordsIn(value).some((one) => one.startsWith(word)));
  return modifier === 'contains' ? plain(value).includes(plain(text)) : plain(value).startsWith(plain(text));
}

/** What stands between spaces and marks, for `:text`. */
export function wordsIn(text: string): readonly string[] {
  return plain(text)
    .split(/[\s,./;:()"-]+/)
    .filter((word) => word !== '');
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

/** `:in`. An element of type `code` has no system where its value set has several: its code alone counts. */
export function isInSet({ system, code }: TokenValue, asked: string, type: string): boolean {
  if (code === undefined || (system === undefined && type !== 'code')) return false;
  return isInValueSet(system === undefined ? { code } : { system, code }, unescapeValue(asked));
}

/** `:above` and `:below` with `system|code`. */
export function isRelated(
  { system, code }: TokenValue,
  asked: string,
  { type, modifier }: { readonly type: string; readonly modifier: 'above' | 'below' },
): boolean {
  const [wanted, other = ''] = splitUnescaped(asked, '|').map(unescapeValue);
  const isOfSystem = system === wanted || (system === undefined && type === 'code');
  if (code === undefined || !isOfSystem) return false;
  return modifier === 'below' ? isKindOf(code, other) : isKindOf(other, code);
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

/** `id`, `Type/id`, one version of it, and URLs; without a version every version is meant. */
export function isReference(value: ReferenceValue, asked: string, reading: ReferenceReading): boolean {
  const text = unescapeValue(asked);
  const own = relative(value.target, reading.base);
  const [wanted = '', version] = relative(text, reading.base).split('/_history/');
  if (/^[A-Za-z0-9.-]{1,64}$/.test(text)) {
    const [type = '', id, ...more] = own.split('/');
    return id === text && more.length === 0 && (reading.types.length === 0 || reading.types.includes(type));
  }
  if (version !== undefined && version !== value.version) return false;
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
export function isNumber({ low, high }: Amount, asked: string): boolean {
  return compareAmounts(exact(low), exact(high), unescapeValue(asked));
}

/** Undefined is without end. */
function exact(value: number): Decimal | undefined {
  return Number.isFinite(value) ? decimal(String(value)) : undefined;
}

/** `power` scales what is asked for, so that units can differ. */
function compareAmounts(
  low: Decimal | undefined,
  high: Decimal | undefined,
  asked: string,
  power = 0,
): boolean {
  const { prefix, text } = splitPrefix(asked);
  const shift = (one: Decimal): Decimal => ({ ...one, exponent: one.exponent + power });
  const search = shift(decimal(text));
  const half = shift(halfUnit(decimal(text), text));
  const [from, to] = [addDecimals(search, negate(half)), addDecimals(search, half)];
  const lowTo = (other: Decimal): number => (low === undefined ? -1 : compareDecimals(low, other));
  const highTo = (other: Decimal): number => (high === undefined ? 1 : compareDecimals(high, other));
  const isWithin = lowTo(from) >= 0 && highTo(to) < 0;
  switch (prefix) {
    case 'eq':
      return isWithin;
    case 'ne':
      return !isWithin;
    case 'gt':
      return highTo(search) > 0;
    case 'sa':
      return lowTo(search) > 0;
    case 'lt':
      return lowTo(search) < 0;
    case 'eb':
      return highTo(search) < 0;
    case 'ge':
      return highTo(search) >= 0;
    case 'le':
      return lowTo(search) <= 0;
    case 'ap': {
      const margin = aTenthOf(search);
      const isAbout =
        lowTo(addDecimals(search, margin)) <= 0 && highTo(addDecimals(search, negate(margin))) >= 0;
      return isAbout || (lowTo(to) < 0 && highTo(from) >= 0);
    }
  }
}

/** "The recommended value is 10% of the stated value". */
function aTenthOf(search: Decimal): Decimal {
  const size = search.digits < 0n ? negate(search) : search;
  return { ...size, exponent: size.exponent - 1 };
}

export const UCUM = 'http://unitsofmeasure.org';

/** Units of mass as powers of ten of a gram: what the samples need of UCUM. */
const GRAMS: Readonly<Record<string, number>> = { ug: -6, mg: -3, g: 0, kg: 3 };

/** `number`, `number|system|code` and `number||code`, https://hl7.org/fhir/R4/search.html#quantity. */
export function isQuantity({ low, high, system, code, unit }: Amount, asked: string): boolean {
  const [number = '', askedSystem = '', askedCode = ''] = splitUnescaped(asked, '|').map(unescapeValue);
  const is = (from: number, to: number): boolean =>
    compareAmounts(moved(exact(low), from), moved(exact(high), from), number, to);
  if (askedCode === '' && askedSystem === '') return is(0, 0);
  if (askedSystem === '') return (code === askedCode || unit === askedCode) && is(0, 0);
  if (system !== askedSystem) return false;
  if (askedCode === '' || code === askedCode) return is(0, 0);
  const [from, to] = [GRAMS[code ?? ''], GRAMS[askedCode]];
  return system === UCUM && from !== undefined && to !== undefined && is(from, to);
}

function moved(value: Decimal | undefined, power: number): Decimal | undefined {
  return value && { ...value, exponent: value.exponent + power };
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
