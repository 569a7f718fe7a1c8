import test from 'ava';
import fc from 'fast-check';
import { EARLIEST, LATEST } from '../../src/fhir/date-range.js';
import { structureDefinitions } from '../../src/fhir/definitions.js';
import { TypeSchema } from '../../src/fhir/expression/schema.js';
import { extractIndexValues } from '../../src/fhir/extract.js';
import { SearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import type { Resource } from '../../src/model/resource.js';
import { SAMPLES } from './expression/sample-resources.js';
import { registry, rows } from './index-rows.js';

const UCUM = 'http://unitsofmeasure.org';

function effectivePeriodRows(effectivePeriod: object): unknown[] {
  return rows({ resourceType: 'Observation', effectivePeriod }, 'dates', 'effective');
}

test('the request that a source names has a row of its own', (t) => {
  const patient = { resourceType: 'Patient', meta: { source: 'urn:s#r' } };
  t.deepEqual(rows(patient, 'uris', 'meta.source'), [{ value: 'urn:s#r' }]);
  t.deepEqual(rows(patient, 'uris', 'meta.source#fragment'), [{ value: '#r' }]);
});

test('a place is one row of latitude and longitude', (t) => {
  const location = { resourceType: 'Location', position: { latitude: 1, longitude: 2 } };
  t.deepEqual(rows(location, 'quantities', 'position'), [
    { value: 1, system: null, code: null, unit: null, canonicalValue: 2, canonicalUnit: null },
  ]);
  t.deepEqual(rows({ resourceType: 'Location', position: { latitude: 1 } }, 'quantities', 'position'), []);
});

test('each part of a name is a row', (t) => {
  const name = [
    { family: 'Müller', given: ['Ann', 'Bea'], prefix: ['Dr.'], suffix: ['II'], text: 'Dr. Ann Müller' },
  ];
  t.deepEqual(rows({ resourceType: 'Patient', name }, 'strings', 'name'), [
    { normalized: 'muller', exact: 'Müller' },
    { normalized: 'ann', exact: 'Ann' },
    { normalized: 'bea', exact: 'Bea' },
    { normalized: 'dr.', exact: 'Dr.' },
    { normalized: 'ii', exact: 'II' },
    { normalized: 'dr. ann muller', exact: 'Dr. Ann Müller' },
  ]);
});

test('each part of an address is a row', (t) => {
  const address = [
    { line: ['1 Way'], city: 'A', district: 'B', state: 'C', postalCode: '9', country: 'D', text: 'all' },
  ];
  const exact = rows({ resourceType: 'Patient', address }, 'strings', 'address').map(
    (row) => (row as { exact: string }).exact,
  );
  t.deepEqual(exact, ['1 Way', 'A', 'B', 'C', '9', 'D', 'all']);
});

test('a period is open where it has no start or end', (t) => {
  t.deepEqual(effectivePeriodRows({ start: '2020' }), [{ low: Date.UTC(2020, 0, 1), high: LATEST }]);
  t.deepEqual(effectivePeriodRows({ end: '2020' }), [{ low: EARLIEST, high: Date.UTC(2021, 0, 1) - 1 }]);
  t.deepEqual(effectivePeriodRows({ start: '2020', end: '2020-02' }), [
    { low: Date.UTC(2020, 0, 1), high: Date.UTC(2020, 2, 1) - 1 },
  ]);
  t.deepEqual(effectivePeriodRows({}), []);
});

test('of a schedule the outer limits count', (t) => {
  const effectiveTiming = {
    event: ['2020-03-01', '2020-01-01'],
    repeat: { boundsPeriod: { start: '2020-02', end: '2020-05' } },
  };
  t.deepEqual(rows({ resourceType: 'Observation', effectiveTiming }, 'dates', 'effective'), [
    { low: Date.UTC(2020, 0, 1), high: Date.UTC(2020, 5, 1) - 1 },
  ]);
});

test('a quantity has its value as given and in base units', (t) => {
  const valueQuantity = { value: 5, unit: 'milligram', system: UCUM, code: 'mg' };
  t.deepEqual(rows({ resourceType: 'Observation', valueQuantity }, 'quantities', 'value.ofType(Quantity)'), [
    { value: 5, system: UCUM, code: 'mg', unit: 'milligram', canonicalValue: 0.005, canonicalUnit: 'g' },
  ]);
});

test('a unit that is not UCUM has no canonical form', (t) => {
  const valueQuantity = { value: 5, unit: 'mg' };
  t.deepEqual(rows({ resourceType: 'Observation', valueQuantity }, 'quantities', 'value.ofType(Quantity)'), [
    { value: 5, system: null, code: null, unit: 'mg', canonicalValue: null, canonicalUnit: null },
  ]);
});

test('money is a quantity of its currency', (t) => {
  t.deepEqual(
    rows(
      { resourceType: 'Invoice', totalGross: { value: 9.5, currency: 'EUR' } },
      'quantities',
      'totalGross',
    ),
    [
      {
        value: 9.5,
        system: 'urn:iso:std:iso:4217',
        code: 'EUR',
        unit: null,
        canonicalValue: null,
        canonicalUnit: null,
      },
    ],
  );
});

const RANGE = { system: null, code: null, unit: '3', canonicalValue: 3, canonicalUnit: null };

test('both ends of a range stand in one row of a path of their own', (t) => {
  const onsetRange = { low: { value: 1 }, high: { value: 3 } };
  const condition = { resourceType: 'Condition', onsetRange };
  t.deepEqual(rows(condition, 'quantities', 'onset.ofType(Range)'), []);
  t.deepEqual(rows(condition, 'quantities', 'onset.ofType(Range)#range'), [{ ...RANGE, value: 1 }]);
  const open = { resourceType: 'Condition', onsetRange: { high: { value: 3 } } };
  t.deepEqual(rows(open, 'quantities', 'onset.ofType(Range)#range'), [{ ...RANGE, value: -1e308 }]);
  t.deepEqual(
    rows({ resourceType: 'Condition', onsetRange: {} }, 'quantities', 'onset.ofType(Range)#range'),
    [],
  );
});

test('a range in UCUM units stands there in canonical units too', (t) => {
  const [low, high] = [1, 3].map((value) => ({ value, system: UCUM, code: 'g', unit: 'gram' }));
  const own = { ...RANGE, value: 1 };
  t.deepEqual(
    rows({ resourceType: 'Condition', onsetRange: { low, high } }, 'quantities', 'onset.ofType(Range)#range'),
    [
      { ...own, system: UCUM, code: 'g' },
      { ...own, code: 'gram' },
      { ...own, system: UCUM, code: '=g', canonicalUnit: 'g' },
    ],
  );
});

test('a probability may be a number or a range', (t) => {
  const risk = { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.5 }] };
  t.deepEqual(rows(risk, 'numbers', 'prediction.probability'), [{ value: 0.5 }]);
});

test('URIs are indexed exactly as written', (t) => {
  t.deepEqual(rows({ resourceType: 'ValueSet', url: 'http://Example.org/VS/' }, 'uris', 'url'), [
    { value: 'http://Example.org/VS/' },
  ]);
});

test('a value that stands twice has one row', (t) => {
  const coding = [
    { system: 'urn:a', code: '1' },
    { system: 'urn:a', code: '1' },
    { system: 'urn:b', code: '1' },
  ];
  t.is(rows({ resourceType: 'Observation', code: { coding } }, 'tokens', 'code').length, 2);
  const many = Array.from({ length: 2000 }, (_, at) => ({ code: String(at % 100) }));
  t.is(rows({ resourceType: 'Observation', code: { coding: many } }, 'tokens', 'code').length, 100);
});

test('an expression that only the engine knows is indexed too', (t) => {
  const own = {
    code: 'initials',
    url: 'urn:example:initials',
    type: 'string' as const,
    base: ['Patient'],
    expression: 'Patient.name.given.select(substring(0, 1))',
    description: '',
  };
  const small = new SearchParameterRegistry([own], new TypeSchema(structureDefinitions()));
  const patient = { resourceType: 'Patient', name: [{ given: ['Ann', 'Bea'] }] };
  t.deepEqual(extractIndexValues(patient, small).strings, [
    { path: own.expression, normalized: 'a', exact: 'A' },
    { path: own.expression, normalized: 'b', exact: 'B' },
  ]);
});

test('a resource of an unknown type is indexed by what every resource has', (t) => {
  t.deepEqual(
    extractIndexValues({ resourceType: 'Nonsense', meta: { tag: [{ code: 'x' }] }, name: 1 }, registry)
      .tokens,
    [],
  );
});

test('values of the wrong shape have no rows and do no harm', (t) => {
  const elements = [...new Set(SAMPLES.flatMap((sample) => Object.keys(sample)))].filter(
    (name) => name !== 'resourceType',
  );
  const resources = fc.record({
    resourceType: fc.constantFrom(...SAMPLES.map(({ resourceType }) => resourceType)),
    elements: fc.dictionary(fc.constantFrom(...elements), fc.jsonValue({ maxDepth: 4 })),
  });
  fc.assert(
    fc.property(resources, ({ resourceType, elements: content }) => {
      extractIndexValues({ ...content, resourceType } as Resource, registry);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
