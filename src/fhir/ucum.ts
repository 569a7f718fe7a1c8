import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';

/** A quantity in UCUM base units: 5 mg is 0.005 `g`. A number without dimension has the unit `1`. */
export interface CanonicalQuantity {
  readonly value: number;
  readonly unit: string;
}

/** `Quantity.system` of UCUM. */
export const UCUM_SYSTEM = 'http://unitsofmeasure.org';

/** Undefined where the value cannot be converted. */
type Conversion = (value: number) => CanonicalQuantity | undefined;

/** The part of @lhncbc/ucum-lhc that is used here; the package has no types. */
interface UcumLibrary {
  readonly UcumLhcUtils: {
    getInstance(): {
      convertToBaseUnits(code: string, value: number): BaseUnits;
      getSpecifiedUnit(
        code: string,
        mode: 'validate',
      ): { readonly unit: { readonly moleExp_?: number } | null };
    };
  };
}

interface BaseUnits {
  readonly status: string;
  readonly magnitude?: number;
  readonly unitToExp?: Readonly<Record<string, number>>;
  readonly fromUnitIsSpecial?: boolean;
}

/** Longer codes are no units that anybody uses, and cost too much to read. */
const MAX_CODE_LENGTH = 100;
const SIGNIFICANT_DIGITS = 12;
/** `{score}`: a name for what is counted. */
const ANNOTATION = /^\{[^{}]*\}$/;
/** `eq` with or without a metric prefix, outside of brackets. The library does not know it for amount of substance. */
const EQUIVALENT = /(?<![A-Za-z[])(da|[yzafpnumcdhkMGTPEZY])?eq(?![A-Za-z\]]|[^{]*\})/g;

const conversions = new LRUCache<string, { readonly convert: Conversion }>({ max: 5000 });

/**
 * The quantity in base units, rounded to 12 significant digits. Three kinds of unit are their own base unit, as
 * their numbers say nothing about other units: arbitrary ones (`[iU]`), mere annotations (`{score}`), and
 * logarithmic ones (`[pH]`), which also run against the order of what they measure. Amount of substance is a
 * dimension of its own here: `mmol/L` is never compared with counts per litre. Undefined for codes that are not
 * UCUM. The library is loaded on the first call.
 */
export function canonicalQuantity(value: number, code: string): CanonicalQuantity | undefined {
  const known = conversions.get(code);
  if (known) return known.convert(value);
  const convert = conversionOf(code);
  conversions.set(code, { convert });
  return convert(value);
}

function conversionOf(code: string): Conversion {
  if (code === '' || code.length > MAX_CODE_LENGTH) return () => undefined;
  if (ANNOTATION.test(code)) return ownUnit(code);
  const known = code.replaceAll(EQUIVALENT, '$1mol');
  const one = toBase(known, 1);
  if (one.status === 'failed') return ownUnit(code);
  if (one.status !== 'succeeded' || one.magnitude === undefined) return () => undefined;
  const unit = unitText({ ...one.unitToExp, mol: moleExponent(known) });
  return one.fromUnitIsSpecial ? specialConversion(code, unit) : linear(one.magnitude, 0, unit);
}

/** Temperatures are linear with an offset. */
function specialConversion(code: string, unit: string): Conversion {
  const [zero, one, two] = [0, 1, 2].map((value) => toBase(code, value).magnitude ?? Number.NaN);
  if (zero === undefined || one === undefined || two === undefined) return () => undefined;
  const slope = one - zero;
  const isLinear = Math.abs(two - one - slope) <= Math.abs(slope) * 1e-9;
  return isLinear ? linear(slope, zero, unit) : ownUnit(code);
}

function ownUnit(code: string): Conversion {
  return (value) => ({ value: round(value), unit: code });
}

function linear(factor: number, offset: number, unit: string): Conversion {
  return (value) => finite(value * factor + offset, unit);
}

function finite(value: number, unit: string): CanonicalQuantity | undefined {
  return Number.isFinite(value) ? { value: round(value), unit } : undefined;
}

function round(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

/** `{ m: -3, g: 1 }` is `g.m-3`, whatever the order of the dimensions. */
function unitText(dimensions: Readonly<Record<string, number>>): string {
  const parts = Object.entries(dimensions).filter(([, exponent]) => exponent !== 0);
  const text = parts.map(([name, exponent]) => (exponent === 1 ? name : `${name}${exponent}`));
  return text.toSorted().join('.') || '1';
}

function toBase(code: string, value: number): BaseUnits {
  return library().convertToBaseUnits(code, value);
}

function moleExponent(code: string): number {
  return library().getSpecifiedUnit(code, 'validate').unit?.moleExp_ ?? 0;
}

let loaded: ReturnType<UcumLibrary['UcumLhcUtils']['getInstance']> | undefined;

function library(): NonNullable<typeof loaded> {
  loaded ??= (createRequire(import.meta.url)('@lhncbc/ucum-lhc') as UcumLibrary).UcumLhcUtils.getInstance();
  return loaded;
}
