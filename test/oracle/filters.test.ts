import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { printFilter, type Filter } from './filters.js';
import { SearchOracle } from './search-oracle.js';

const given = (operator: string, value: string): Filter => ({
  kind: 'test',
  path: [],
  code: 'given',
  operator,
  value,
});
const [a, b, c] = ['a', 'b', 'c'].map((value) => given('eq', value)) as [Filter, Filter, Filter];

test('brackets stand on the right side alone, as filters are read from left to right', (t) => {
  const left: Filter = { kind: 'and', left: { kind: 'or', left: a, right: b }, right: c };
  const right: Filter = { kind: 'or', left: a, right: { kind: 'and', left: b, right: c } };
  t.is(printFilter(left), 'given eq a or given eq b and given eq c');
  t.is(printFilter(right), 'given eq a or (given eq b and given eq c)');
  t.is(printFilter({ kind: 'not', of: a }), 'not (given eq a)');
  t.is(printFilter(given('eq', 'Ann "A" )')), 'given eq "Ann \\"A\\" )"');
});

const resources: readonly object[] = [
  {
    resourceType: 'Patient',
    id: 'p',
    name: [{ given: ['Ann', 'Marie'] }],
    generalPractitioner: [{ reference: 'Practitioner/one' }, { reference: 'Practitioner/other' }],
  },
  { resourceType: 'Practitioner', id: 'one', gender: 'male', name: [{ given: ['Zoe'] }] },
  { resourceType: 'Practitioner', id: 'other', gender: 'female', name: [{ given: ['Bob'] }] },
];
const oracle = new SearchOracle(resources as readonly FhirResource[], 'http://here.example');

function passes(filter: Filter): boolean {
  return oracle.search('Patient', [['_filter', printFilter(filter), filter]]).length === 1;
}

const doctor = (value: string, filter?: Filter): Filter => ({
  kind: 'test',
  path: [{ code: 'general-practitioner', type: 'Practitioner', filter }],
  code: 'given',
  operator: 'eq',
  value,
});
const male: Filter = { kind: 'test', path: [], code: 'gender', operator: 'eq', value: 'male' };

test('a test holds of one of the values, and its denial of none', (t) => {
  t.true(passes(given('eq', 'marie')));
  t.true(passes(given('ne', 'marie')), 'another value is another one');
  t.false(passes({ kind: 'not', of: given('eq', 'marie') }));
  t.true(passes(given('gt', 'bob')));
  t.false(passes(given('lt', 'ann')));
  t.true(passes(given('ew', 'NN')));
});

test('what brackets say holds of the resource that the path goes on from', (t) => {
  t.true(passes(doctor('zoe')));
  t.true(passes(doctor('zoe', male)));
  t.false(passes(doctor('bob', male)));
});

/** Nothing that the path leads to has such a value. */
const absent = (code: string): Filter => ({ ...doctor(''), code, operator: 'pr', value: 'false' }) as Filter;

test('absence is asked of the whole path', (t) => {
  t.false(passes(absent('gender')));
  t.true(passes(absent('email')));
});
