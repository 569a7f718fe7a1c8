import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { entriesOf, linkOf, matchesOf, namesOf, type Bundle } from './pages.js';
import { UCUM_SYSTEM as UCUM } from '../../../src/fhir/ucum.js';

const server = await createTestServer({ partitions: ['acme'] });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(() => server.stop());

const code = { coding: [{ system: 'http://loinc.org', code: '1' }] };

const ELSEWHERE = { reference: 'https://elsewhere.example/fhir/Patient/1' };

const COMPOSITION: FhirResource = {
  resourceType: 'Composition',
  id: 'begin',
  status: 'final',
  type: { text: 'x' },
  date: '2020',
  author: [{ display: 'Somebody' }],
  title: 'x',
};

const STORED: readonly FhirResource[] = [
  { resourceType: 'Basic', id: 'elsewhere', code: { text: 'x' }, subject: ELSEWHERE },
  {
    resourceType: 'Bundle',
    id: 'document',
    type: 'document',
    entry: [{ resource: COMPOSITION }],
  },
  {
    resourceType: 'Patient',
    id: 'accents',
    name: [{ family: 'Núñez', given: ['Émile'] }],
    birthDate: '1980-05',
  },
  {
    resourceType: 'Patient',
    id: 'comma',
    name: [{ family: 'Mc,Donald', given: ['Ma$k'] }],
    birthDate: '1980-05-17',
  },
  { resourceType: 'Patient', id: 'signs', name: [{ family: '100%_x', given: ['a|b'] }], birthDate: '1979' },
  amount('mg', 5.4, 'mg'),
  amount('g', 0.0054, 'g'),
  amount('acid', 6.8, '[pH]'),
  amount('base', 7.4, '[pH]'),
  amount('score', 3, '{score}'),
  amount('percent', 50, '%'),
  amount('cells', 5, '10*6/uL'),
  amount('molar', 5, 'mmol/L'),
  {
    resourceType: 'Observation',
    id: 'night',
    status: 'final',
    code,
    effectiveDateTime: '2020-02-29T23:30:00-05:00',
  },
  {
    resourceType: 'Observation',
    id: 'words',
    status: 'final',
    code: { text: 'in words' },
    subject: { display: 'somebody' },
  },
  {
    resourceType: 'Observation',
    id: 'inside',
    status: 'final',
    code: { coding: [{ system: 'urn:only' }] },
    contained: [{ resourceType: 'Patient', id: 'p' }],
    subject: { reference: '#p' },
  },
];

function amount(id: string, value: number, unit: string): FhirResource {
  const valueQuantity = { value, unit, system: UCUM, code: unit };
  return { resourceType: 'Observation', id, status: 'final', code, valueQuantity };
}

test.before(async () => {
  for (const resource of STORED) await acme.put(`${resource.resourceType}/${resource.id}`, resource);
});

const FOUND: readonly [type: string, query: Readonly<Record<string, string>>, ids: string][] = [
  ['Patient', { family: 'nunez' }, 'accents'],
  ['Patient', { family: 'NU\u0301N\u0303EZ' }, 'accents'],
  ['Patient', { 'family:exact': 'Nunez' }, ''],
  ['Patient', { 'family:exact': 'Núñez' }, 'accents'],
  ['Patient', { 'family:contains': 'ÑE' }, 'accents'],
  ['Patient', { family: String.raw`mc\,donald` }, 'comma'],
  ['Patient', { family: 'mc,donald' }, 'comma'],
  ['Patient', { 'family:exact': 'Mc,Donald' }, ''],
  ['Patient', { given: String.raw`ma\$k` }, 'comma'],
  ['Patient', { given: String.raw`a\|b` }, 'signs'],
  ['Patient', { 'family:contains': '%_' }, 'signs'],
  ['Patient', { family: '%' }, ''],
  ['Patient', { birthdate: '1980' }, 'accents,comma'],
  ['Patient', { birthdate: '1980-05-17' }, 'comma'],
  ['Patient', { birthdate: 'ge1980-05-17' }, 'accents,comma'],
  ['Patient', { birthdate: 'sa1979' }, 'accents,comma'],
  ['Patient', { '_id:missing': 'true' }, ''],
  ['Patient', { '_lastUpdated:missing': 'true' }, ''],
  ['Patient', { '_lastUpdated:missing': 'false' }, 'accents,comma,signs'],
  ['Basic', { patient: ELSEWHERE.reference }, 'elsewhere'],
  ['Basic', { 'patient:missing': 'false' }, 'elsewhere'],
  ['Basic', { patient: '1' }, ''],
  ['Bundle', { composition: 'Composition/begin' }, 'document'],
  ['Bundle', { composition: 'begin' }, 'document'],
  ['Bundle', { message: 'begin' }, ''],
  ['Observation', { date: '2020-03-01' }, 'night'],
  ['Observation', { date: '2020-03-01T04:30Z' }, 'night'],
  ['Observation', { date: '2020-02-29' }, ''],
  ['Observation', { 'value-quantity': `5.4|${UCUM}|mg` }, 'g,mg'],
  ['Observation', { 'value-quantity': `5.40|${UCUM}|mg` }, 'g,mg'],
  ['Observation', { 'value-quantity': `5.400|${UCUM}|g` }, ''],
  ['Observation', { 'value-quantity': '5.4||mg' }, 'mg'],
  ['Observation', { 'value-quantity': `gt7|${UCUM}|[pH]` }, 'base'],
  ['Observation', { 'value-quantity': `lt7|${UCUM}|[pH]` }, 'acid'],
  ['Observation', { 'value-quantity': `gt0|${UCUM}|%` }, 'percent'],
  ['Observation', { 'value-quantity': `gt0|${UCUM}|{score}` }, 'score'],
  ['Observation', { 'value-quantity': `gt0|${UCUM}|mmol/L` }, 'molar'],
  ['Observation', { 'code:missing': 'true' }, ''],
  ['Observation', { 'subject:missing': 'false' }, 'inside,words'],
  ['Observation', { code: 'urn:only|' }, 'inside'],
  ['Observation', { 'code:not': 'http://loinc.org|1' }, 'inside,words'],
];

for (const [type, query, ids] of FOUND) {
  const [[name = '', value = ''] = []] = Object.entries(query);
  test(`${type}?${name}=${value} finds ${ids === '' ? 'nothing' : ids}`, async (t) => {
    const { body } = await acme.get<Bundle>(`${type}?${new URLSearchParams(query)}`);
    t.deepEqual(
      matchesOf([body])
        .map(({ id }) => id)
        .toSorted()
        .join(),
      ids,
    );
  });
}

const SORTED: readonly [sort: string, ids: readonly string[]][] = [
  ['family', ['signs', 'comma', 'accents']],
  ['-family', ['accents', 'comma', 'signs']],
  ['-birthdate', ['accents', 'comma', 'signs']],
  ['gender,_id', ['accents', 'comma', 'signs']],
  ['gender,-_id', ['signs', 'comma', 'accents']],
];

for (const [sort, ids] of SORTED) {
  test(`_sort=${sort} puts ${ids.join(' before ')}`, async (t) => {
    const { body } = await acme.get<Bundle>(`Patient?_sort=${sort}`);
    t.deepEqual(
      matchesOf([body]).map(({ id }) => id),
      ids,
    );
  });
}

const LAST: readonly [sort: string, id: string][] = [
  ['date', 'words'],
  ['-date', 'words'],
  ['code', 'words'],
  ['-code', 'words'],
];

for (const [sort, id] of LAST) {
  test(`_sort=${sort} puts what has no value to sort by last`, async (t) => {
    const { body } = await acme.get<Bundle>(`Observation?_id=night,${id}&_sort=${sort}`);
    t.deepEqual(
      matchesOf([body]).map((one) => one.id),
      ['night', id],
    );
  });
}

const REFUSED: readonly [query: string, code: string][] = [
  ['Patient?nothing=1', 'UNKNOWN_SEARCH_PARAMETER'],
  ['Patient?name:above=1', 'UNKNOWN_SEARCH_PARAMETER'],
  ['Patient?_sort=nothing', 'UNKNOWN_SEARCH_PARAMETER'],
  ['Patient?birthdate=1980-13', 'INVALID_SEARCH'],
  ['Patient?birthdate=zz1980', 'INVALID_SEARCH'],
  ['Patient?gender:missing=maybe', 'INVALID_SEARCH'],
  ['Observation?value-quantity=much', 'INVALID_SEARCH'],
];

for (const [query, errorCode] of REFUSED) {
  test(`${query} is 400 ${errorCode}`, async (t) => {
    assertError(t, await acme.get(query), 400, errorCode);
  });
}

test('lenient handling leaves an unknown parameter out, out of the self link too, and says so', async (t) => {
  const { body } = await acme.get<Bundle>('Patient?nothing=1&family=nunez', { prefer: 'handling=lenient' });
  t.deepEqual(namesOf(matchesOf([body])), ['Patient/accents']);
  t.is(entriesOf([body], 'outcome').length, 1);
  t.is(linkOf(body, 'self'), `${acme.base}/Patient?family=nunez`);
});

test('lenient handling refuses a wrong value all the same', async (t) => {
  const answer = await acme.get('Patient?birthdate=soon', { prefer: 'handling=lenient' });
  assertError(t, answer, 400, 'INVALID_SEARCH');
});
