import test from 'ava';
import { canonicalQuantity } from '../../src/fhir/ucum.js';

test('quantities of one dimension have one unit', (t) => {
  t.deepEqual(canonicalQuantity(5, 'mg'), { value: 0.005, unit: 'g' });
  t.deepEqual(canonicalQuantity(0.005, 'g'), canonicalQuantity(5, 'mg'));
  t.deepEqual(canonicalQuantity(1, 'mg/dL'), canonicalQuantity(10, 'mg/L'));
  t.deepEqual(canonicalQuantity(2, 'h'), { value: 7200, unit: 's' });
});

test('temperatures keep their offset', (t) => {
  t.deepEqual(canonicalQuantity(98.6, '[degF]'), { value: 310.15, unit: 'K' });
  t.deepEqual(canonicalQuantity(37, 'Cel'), { value: 310.15, unit: 'K' });
});

test('noise of floating point is rounded away', (t) => {
  t.deepEqual(canonicalQuantity(2, '10*3/uL'), { value: 2e12, unit: 'm-3' });
  t.deepEqual(canonicalQuantity(0.1 + 0.2, 'g'), { value: 0.3, unit: 'g' });
});

test('numbers without dimension have the unit 1', (t) => {
  t.deepEqual(canonicalQuantity(50, '%'), { value: 0.5, unit: '1' });
  t.deepEqual(canonicalQuantity(2, 'mg/g'), { value: 0.002, unit: '1' });
});

test('an annotation alone is its own base: a score is no percentage', (t) => {
  t.deepEqual(canonicalQuantity(3, '{score}'), { value: 3, unit: '{score}' });
});

test('amount of substance and number of particles are different dimensions', (t) => {
  const molar = canonicalQuantity(5, 'mmol/L');
  t.is(molar?.unit, 'm-3.mol');
  t.is(canonicalQuantity(5, '10*6/uL')?.unit, 'm-3');
  t.deepEqual(canonicalQuantity(5000, 'umol/L'), molar);
  t.deepEqual(canonicalQuantity(5, 'meq/L'), molar);
  t.is(canonicalQuantity(5, '/min')?.unit, 's-1');
  t.is(canonicalQuantity(5, 'U')?.unit, 'mol.s-1');
});

test('logarithmic units are their own base, as acidity grows while its number falls', (t) => {
  t.deepEqual(canonicalQuantity(7.4, '[pH]'), { value: 7.4, unit: '[pH]' });
});

test('arbitrary units are their own base', (t) => {
  t.deepEqual(canonicalQuantity(3, '[iU]/L'), { value: 3, unit: '[iU]/L' });
});

test('what is no UCUM unit has no canonical form', (t) => {
  for (const code of ['', 'tablet', '{open', 'x'.repeat(500)])
    t.is(canonicalQuantity(1, code), undefined, code);
});

test('a value too large for base units has no canonical form', (t) => {
  t.is(canonicalQuantity(1e300, 'Ym3'), undefined);
});
