import { canonicalQuantity, UCUM_SYSTEM } from '../fhir/ucum.js';
import type { NumberTest, QuantityTest } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

type AskedQuantity = Extract<SearchValue, { kind: 'quantity' }>;
type AmountTest = Exclude<QuantityTest, { over: 'place' }>;

/** What a value asks of quantity rows: an amount, or a place. */
export function toQuantityTests(value: SearchValue): readonly QuantityTest[] {
  if (value.kind === 'quantity') return toAmountTests(value);
  if (value.kind !== 'near') return [];
  const { latitude, longitude, meters } = value;
  return [{ over: 'place', latitude, longitude, meters }];
}

/** What the same value asks of rows that hold ranges; a number has no unit. */
export function toRangeTests(value: SearchValue): readonly QuantityTest[] {
  const tests =
    value.kind === 'quantity' ? toAmountTests(value) : value.kind === 'number' ? toAnyUnit(value) : [];
  return tests.map((test) => ({ ...test, over: 'range' as const }));
}

function toAnyUnit({ comparison, value, low, high }: NumberTest): AmountTest[] {
  return [{ comparison, value, low, high, unit: { kind: 'any' } }];
}

/** A UCUM quantity matches by its own code, and any other unit of the same dimension by the canonical value. */
function toAmountTests(quantity: AskedQuantity): AmountTest[] {
  const { system, code, comparison, value, low, high } = quantity;
  const number: NumberTest = { comparison, value, low, high };
  if (code === null)
    return [{ ...number, unit: system === null ? { kind: 'any' } : { kind: 'system', system } }];
  if (system === null) return [{ ...number, unit: { kind: 'label', label: code } }];
  const exact: AmountTest = { ...number, unit: { kind: 'code', system, code } };
  const canonical = system === UCUM_SYSTEM ? toCanonical(number, code) : undefined;
  return canonical ? [exact, canonical] : [exact];
}

function toCanonical({ comparison, value, low, high }: NumberTest, code: string): AmountTest | undefined {
  const [v, one, other] = [value, low, high].map((number) => canonicalQuantity(number, code));
  if (!v || !one || !other) return undefined;
  return {
    comparison,
    value: v.value,
    low: one.value,
    high: other.value,
    unit: { kind: 'canonical', unit: v.unit },
  };
}
