import test from 'ava';
import type { FhirResource, Organization, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'other'] });
const clients = new FhirClient(server.url);
const acme = clients.tenant('acme');
const other = clients.tenant('other');
test.after.always(() => server.stop());

const RXNORM = 'http://rxnorm.example';
const concept = (code: string) => ({ coding: [{ system: RXNORM, code }] });
const medication = (id: string, code: string, rest: object = {}): FhirResource => ({
  resourceType: 'Medication',
  id,
  code: concept(code),
  ...rest,
});
const organization = (id: string, name: string): Organization => ({ resourceType: 'Organization', id, name });
const request = (id: string, reference: string, contained: FhirResource[]): FhirResource => ({
  resourceType: 'MedicationRequest',
  id,
  status: 'active',
  intent: 'order',
  subject: { reference: 'Patient/p' },
  medicationReference: { reference },
  ...(contained.length === 0 ? {} : { contained }),
});

const PATIENT: Patient = {
  resourceType: 'Patient',
  id: 'p',
  name: [{ family: 'Ökafor' }],
  birthDate: '1970-05-01',
};

const STORED: readonly FhirResource[] = [
  organization('maker', 'Maker'),
  organization('trader', 'Trader'),
  { resourceType: 'Patient', id: 'p', name: [{ family: 'Okafor' }] },
  medication('stored', 'abc'),
  request('by-reference', 'Medication/stored', []),
  request('inside', '#m', [medication('m', 'abc', { manufacturer: { reference: 'Organization/maker' } })]),
  request('other-inside', '#m', [
    medication('m', 'xyz', { manufacturer: { reference: '#o' } }),
    organization('o', 'Trader inside'),
  ]),
  // The one that is referred to is not the one with the code.
  request('not-meant', '#first', [medication('first', 'none'), medication('second', 'abc')]),
  {
    resourceType: 'Observation',
    id: 'pressure',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: '#p' },
    contained: [PATIENT],
  },
];

test.before(async () => {
  for (const resource of STORED) {
    const { status, text } = await acme.put(`${resource.resourceType}/${resource.id}`, resource);
    if (status !== 201) throw new Error(text);
  }
});

/** Ids, sorted. */
async function found(query: string, client = acme): Promise<string[]> {
  return matchesOf(await pagesOf(client, query))
    .map(({ id }) => id ?? '')
    .toSorted();
}

test('a chain is followed to contained resources', async (t) => {
  t.deepEqual(await found('MedicationRequest?medication.code=abc'), ['by-reference', 'inside']);
  t.deepEqual(await found('MedicationRequest?medication:Medication.code=xyz'), ['other-inside']);
  t.deepEqual(await found('Observation?subject.name=okaf'), ['pressure']);
  t.deepEqual(await found('Observation?patient.name:exact=Ökafor'), ['pressure']);
  t.deepEqual(await found('Observation?patient.birthdate=lt1971&code:text=x'), ['pressure']);
  t.deepEqual(await found('MedicationRequest?medication.code=abc', other), []);
});

test('a chain goes on from a contained resource, inside and outside', async (t) => {
  t.deepEqual(await found('MedicationRequest?medication.manufacturer.name=maker'), ['inside']);
  t.deepEqual(await found('MedicationRequest?medication.manufacturer.name=trader'), ['other-inside']);
  t.deepEqual(await found('MedicationRequest?medication.manufacturer=Organization/maker'), ['inside']);
  const alone = '_contained=true&_containedType=contained';
  t.deepEqual(await found(`Medication?manufacturer.name=trader&_id=m&${alone}`), ['m']);
  t.deepEqual(await found(`Medication?manufacturer.name=maker&${alone}`), ['m']);
  t.deepEqual(await found(`Medication?manufacturer.name=trader,maker&${alone}&_count=1`), ['m', 'm']);
});

test('contained resources are found by what contains them, or alone', async (t) => {
  t.deepEqual(await found('Medication?code=abc'), ['stored']);
  t.deepEqual(await found('Medication?code=abc&_contained=true'), ['inside', 'not-meant']);
  t.deepEqual(await found('Medication?code=abc&_contained=both'), ['inside', 'not-meant', 'stored']);
  const { body } = await acme.get<Bundle>('Medication?code=abc&_contained=true&_containedType=contained');
  t.deepEqual(
    body.entry?.map(({ fullUrl, resource, search }) => [fullUrl, resource?.id, search?.mode]),
    [
      [`${acme.base}/MedicationRequest/inside#m`, 'm', 'match'],
      [`${acme.base}/MedicationRequest/not-meant#second`, 'second', 'match'],
    ],
  );
  t.deepEqual(await found('Medication?_contained=both&_containedType=contained&_count=2'), [
    'first',
    'm',
    'm',
    'second',
    'stored',
  ]);
  t.deepEqual(await found('Medication?_contained=both', other), []);
});
