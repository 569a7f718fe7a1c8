/** A decimal number without rounding: `digits` times ten to the power of `exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const WRITTEN = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** @throws Error for text that is no number */
export function decimal(text: string): Decimal {
  const [all, sign = '', whole = '', fraction = '', exponent = '0'] = WRITTEN.exec(text) ?? [];
  if (all === undefined) throw new Error(`"${text}" is no number.`);
  const digits = BigInt(`${whole}${fraction}`);
  return { digits: sign === '-' ? -digits : digits, exponent: Number(exponent) - fraction.length };
}

/** Less than 0, 0 or more than 0 as `a` is less than, equal to or more than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const difference = scaled(a, exponent) - scaled(b, exponent);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return { digits: scaled(a, exponent) + scaled(b, exponent), exponent };
}

export function negate({ digits, exponent }: Decimal): Decimal {
  return { digits: -digits, exponent };
}

/** Half a unit of the last digit that was written (https://hl7.org/fhir/R4/search.html#number). */
export function halfUnit({ exponent }: Decimal, text: string): Decimal {
  const isPowerOfTen = /[eE]/.test(text) && !text.includes('.');
  return { digits: 5n, exponent: exponent - (isPowerOfTen ? 2 : 1) };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
