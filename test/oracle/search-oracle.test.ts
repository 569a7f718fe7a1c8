import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { SearchOracle, type QueryPart } from './search-oracle.js';

const BASE = 'https://here.example/fhir';

function holds(resource: object, name: string, value: string): boolean {
  const oracle = new SearchOracle([{ ...resource, id: '1' } as FhirResource], BASE);
  const query: readonly QueryPart[] = [[name, value]];
  return oracle.search((resource as FhirResource).resourceType, query).length === 1;
}

function probability(value: number): object {
  return { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: value }] };
}

function effective(members: object): object {
  return { resourceType: 'Observation', ...members };
}

/** The examples of https://hl7.org/fhir/R4/search.html, and what stands beside them. */
const NUMBERS: readonly [asked: string, value: number, expected: boolean][] = [
  ['100', 99.5, true],
  ['100', 100.5, false],
  ['100.00', 100.004, true],
  ['100.00', 100.005, false],
  ['1e2', 95, true],
  ['1e2', 105, false],
  ['lt100', 99.999, true],
  ['le100', 100, true],
  ['gt100', 100, false],
  ['ge100', 100, true],
  ['ne100', 100, false],
  ['ap100', 110, true],
  ['ap100', 111, false],
];

for (const [asked, value, expected] of NUMBERS) {
  test(`${value} ${expected ? 'is' : 'is not'} ${asked}`, (t) => {
    t.is(holds(probability(value), 'probability', asked), expected);
  });
}

const DATES: readonly [asked: string, members: object, expected: boolean][] = [
  ['2013-01-14', { effectiveDateTime: '2013-01-14T10:00:00Z' }, true],
  ['2013-01-14', { effectiveDateTime: '2013-01' }, false],
  ['ne2013-01-14', { effectiveDateTime: '2013-01-15' }, true],
  ['lt2013-01-14T10:00Z', { effectiveDateTime: '2013-01-14' }, true],
  ['gt2013-01-14T10:00Z', { effectiveDateTime: '2013-01-14' }, true],
  ['ge2013-03-14', { effectivePeriod: { start: '2013-03-21' } }, true],
  ['sa2013-03-14', { effectivePeriod: { start: '2013-03-14', end: '2013-04' } }, false],
  ['sa2013-03-14', { effectivePeriod: { start: '2013-03-15' } }, true],
  ['eb2013-03-14', { effectivePeriod: { end: '2013-03-13' } }, true],
  ['eb2013-03-14', { effectivePeriod: { start: '2013-03-13' } }, false],
];

for (const [asked, members, expected] of DATES) {
  test(`${JSON.stringify(members)} ${expected ? 'is' : 'is not'} ${asked}`, (t) => {
    t.is(holds(effective(members), 'date', asked), expected);
  });
}

const UCUM = 'http://unitsofmeasure.org';
const milligrams = effective({ valueQuantity: { value: 5.4, system: UCUM, code: 'mg', unit: 'mg' } });

const QUANTITIES: readonly [asked: string, expected: boolean][] = [
  ['5.4', true],
  ['5.40', true],
  ['5.4||mg', true],
  [`5.4|${UCUM}|mg`, true],
  [`0.0054|${UCUM}|g`, true],
  [`0.0055|${UCUM}|g`, false],
  [`5.4|${UCUM}|g`, false],
  ['5.4|urn:other|mg', false],
];

for (const [asked, expected] of QUANTITIES) {
  test(`5.4 mg ${expected ? 'is' : 'is not'} ${asked}`, (t) => {
    t.is(holds(milligrams, 'value-quantity', asked), expected);
  });
}

const patient = {
  resourceType: 'Patient',
  gender: 'male',
  name: [{ family: 'Núñez', given: ['Eve', 'Evelyn'] }],
  identifier: [{ system: 'urn:s', value: 'a' }, { value: 'b' }],
  managingOrganization: { reference: `${BASE}/Organization/o/_history/3`, identifier: { value: 'i' } },
};

const WORDS: readonly [name: string, value: string, expected: boolean][] = [
  ['family', 'nun', true],
  ['family', 'unez', false],
  ['family:contains', 'UNE', true],
  ['family:exact', 'Nunez', false],
  ['given', 'eve', true],
  ['identifier', 'urn:s|a', true],
  ['identifier', '|a', false],
  ['identifier', '|b', true],
  ['identifier', 'urn:s|', true],
  ['identifier:not', 'a', false],
  ['gender', 'http://hl7.org/fhir/administrative-gender|male', true],
  ['gender:missing', 'true', false],
  ['birthdate:missing', 'true', true],
  ['organization', 'Organization/o', true],
  ['organization', 'Organization/o/_history/2', false],
  ['organization:identifier', '|i', true],
];

for (const [name, value, expected] of WORDS) {
  test(`a patient ${expected ? 'has' : 'does not have'} ${name}=${value}`, (t) => {
    t.is(holds(patient, name, value), expected);
  });
}

test('the components of a composite hold of one element', (t) => {
  const component = [
    { code: { text: 'x', coding: [{ code: 'a' }] }, valueQuantity: { value: 1 } },
    { code: { coding: [{ code: 'b' }] }, valueQuantity: { value: 2 } },
  ];
  t.true(holds(effective({ component }), 'component-code-value-quantity', 'a$1'));
  t.false(holds(effective({ component }), 'component-code-value-quantity', 'a$2'));
});
