import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { linkOf, matchesOf, namesOf, pagesOf, type Bundle } from '../search/pages.js';

let now = Date.parse('2024-01-01T00:00:00Z');
const server = await createTestServer({ partitions: ['acme', 'beta'], clock: () => now });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

test.before(async () => {
  await store(acme);
  await store(client.tenant('beta'));
});

const SUBJECT = { reference: 'Patient/p1' };
const CODE = { coding: [{ system: 'urn:c', code: 'x' }] };

/** What others refer to stands first. */
const EARLY = [
  { resourceType: 'Organization', id: 'clinic' },
  { resourceType: 'Organization', id: 'other' },
  { resourceType: 'Practitioner', id: 'dr' },
  { resourceType: 'Practitioner', id: 'stranger' },
  { resourceType: 'Medication', id: 'pill', code: CODE },
  { resourceType: 'Location', id: 'room' },
  { resourceType: 'Patient', id: 'p2' },
  { resourceType: 'Patient', id: 'p1', managingOrganization: { reference: 'Organization/clinic' } },
  {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { code: 'AMB' },
    subject: SUBJECT,
    period: { start: '2020-01-01', end: '2020-01-03' },
    participant: [{ individual: { reference: 'Practitioner/dr' } }],
    location: [{ location: { reference: 'Location/room' } }],
  },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: CODE,
    subject: SUBJECT,
    encounter: { reference: 'Encounter/e1' },
    effectiveDateTime: '2020-01-02',
    performer: [{ reference: 'Practitioner/dr' }],
  },
  {
    resourceType: 'Observation',
    id: 'o2',
    status: 'final',
    code: CODE,
    subject: { reference: 'Patient/p2' },
  },
];
const LATE = [
  {
    resourceType: 'Observation',
    id: 'o3',
    status: 'final',
    code: CODE,
    subject: SUBJECT,
    effectiveDateTime: '2022-05-05',
  },
  {
    resourceType: 'MedicationRequest',
    id: 'm1',
    status: 'active',
    intent: 'order',
    subject: SUBJECT,
    authoredOn: '2022-06-06',
    medicationReference: { reference: 'Medication/pill' },
  },
  { resourceType: 'Flag', id: 'f1', status: 'active', code: CODE, subject: SUBJECT },
];

async function store(target: FhirClient): Promise<void> {
  for (const [time, resources] of [
    ['2024-01-01', EARLY],
    ['2024-03-01', LATE],
  ] as const) {
    now = Date.parse(time);
    for (const resource of resources) {
      const { status, text } = await target.put(`${resource.resourceType}/${resource.id}`, resource);
      if (status !== 201) throw new Error(text);
    }
  }
}

async function found(path: string): Promise<string[]> {
  return namesOf(matchesOf(await pagesOf(acme, path))).toSorted();
}

const P1 = [
  'Encounter/e1',
  'Flag/f1',
  'Location/room',
  'Medication/pill',
  'MedicationRequest/m1',
  'Observation/o1',
  'Observation/o3',
  'Organization/clinic',
  'Patient/p1',
  'Practitioner/dr',
];

const RECORDS: readonly [path: string, expected: readonly string[]][] = [
  ['Patient/p1/$everything', P1],
  ['Patient/p1/$everything?_count=1', P1],
  [
    'Patient/p1/$everything?_type=Observation,Practitioner',
    ['Observation/o1', 'Observation/o3', 'Practitioner/dr'],
  ],
  ['Patient/p1/$everything?_since=2024-02-01', ['Flag/f1', 'MedicationRequest/m1', 'Observation/o3']],
  [
    'Patient/p1/$everything?start=2022-01-01',
    [
      'Flag/f1',
      'Medication/pill',
      'MedicationRequest/m1',
      'Observation/o3',
      'Organization/clinic',
      'Patient/p1',
    ],
  ],
  [
    'Patient/p1/$everything?start=2020-01-03&end=2020',
    ['Encounter/e1', 'Flag/f1', 'Location/room', 'Organization/clinic', 'Patient/p1', 'Practitioner/dr'],
  ],
  ['Patient/p2/$everything', ['Observation/o2', 'Patient/p2']],
  [
    'Encounter/e1/$everything',
    ['Encounter/e1', 'Location/room', 'Observation/o1', 'Patient/p1', 'Practitioner/dr'],
  ],
  ['Patient/$everything', [...P1, 'Observation/o2', 'Patient/p2'].toSorted()],
  ['Patient/$everything?_type=Patient', ['Patient/p1', 'Patient/p2']],
];

for (const [path, expected] of RECORDS) {
  test(`${path} answers ${expected.length} resources, each once`, async (t) => {
    t.deepEqual(await found(path), [...expected]);
  });
}

test('its parameters may come in a Parameters resource', async (t) => {
  const { status, body } = await acme.post<Bundle>('Patient/p1/$everything', {
    resourceType: 'Parameters',
    parameter: [
      { name: '_type', valueCode: 'Observation' },
      { name: '_count', valueInteger: 1 },
    ],
  });
  t.is(status, 200);
  t.is(body.total, 2);
  t.is(linkOf(body, 'self'), `${acme.base}/Patient/p1/$everything?_type=Observation&_count=1`);
});

test('what is not there, or not understood, is refused', async (t) => {
  assertError(t, await acme.get('Patient/nobody/$everything'), 404, 'NOT_FOUND');
  assertError(t, await acme.get('Patient/p1/$everything?gender=male'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  assertError(t, await acme.get('Patient/p1/$everything?start=soon'), 400, 'INVALID_SEARCH');
  assertError(t, await acme.get('Patient/p1/$everything?_type=Nothing'), 400, 'INVALID_SEARCH');
  assertError(t, await acme.get('Encounter/$everything'), 404, 'UNKNOWN_OPERATION');
  assertError(t, await acme.get('Observation/o1/$everything'), 404, 'UNKNOWN_OPERATION');
});
