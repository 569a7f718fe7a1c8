import test from 'ava';
import { patientCompartmentPartition } from '../../interceptors/patient-compartment-partition.js';
import { patientHash } from '../../interceptors/patient-hash.js';
import { withPatientIds } from '../../interceptors/patients-in-bundle.js';
import type { Bundle, QueryParameter, Resource } from '../../src/index.js';
import {
  PATIENT,
  VALUE_SET,
  aRequest,
  choiceToCreate,
  choiceToRead,
  idsOf,
  refused,
  send,
  serve,
} from './fixtures.js';

const PARTITIONS = 16;
const interceptor = patientCompartmentPartition({ partitions: PARTITIONS });

const PUT = aRequest({ method: 'PUT', interaction: 'update' });
const POST = aRequest({ method: 'POST', interaction: 'create' });

function partitionOf(patient: string): number {
  return 1 + (patientHash(patient) % PARTITIONS);
}

function observation(...patients: readonly string[]): Resource {
  const [first, ...others] = patients.map((id) => ({ reference: `Patient/${id}` }));
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'weight' },
    ...(first ? { subject: first } : {}),
    ...(others.length > 0 ? { performer: others } : {}),
  };
}

test('the hash of a patient never changes', (t) => {
  t.deepEqual(['', 'a', 'foobar', '8d7e-1'].map(patientHash), [
    2_166_136_261,
    3_826_002_220,
    3_214_735_720,
    patientHash('8d7e-1'),
  ]);
});

test('patients are spread over all partitions', (t) => {
  const used = new Set(Array.from({ length: 500 }, (_, index) => partitionOf(`patient-${index}`)));
  t.is(used.size, PARTITIONS);
});

test('a Patient is where the hash of its id says', async (t) => {
  const choice = await choiceToCreate(interceptor, PUT, { ...PATIENT, id: 'ann' });
  t.deepEqual(choice, { by: 'id', ids: [partitionOf('ann')] });
  const elsewhere = patientCompartmentPartition({ partitions: 4, firstId: 100 });
  const other = await choiceToCreate(elsewhere, PUT, { ...PATIENT, id: 'ann' });
  t.deepEqual(other, { by: 'id', ids: [100 + (patientHash('ann') % 4)] });
});

test('a Patient cannot be created by POST, whatever id its body has', async (t) => {
  await refused(t, () => choiceToCreate(interceptor, POST, { ...PATIENT, id: 'ann' }), 'NOT_PARTITIONABLE');
});

test('what belongs to a patient is where the patient is', async (t) => {
  const choice = await choiceToCreate(interceptor, POST, observation('ann', 'ann'));
  t.deepEqual(choice, { by: 'id', ids: [partitionOf('ann')] });
});

test('what belongs to no patient, or to two, is refused', async (t) => {
  await refused(t, () => choiceToCreate(interceptor, POST, observation()), 'NOT_PARTITIONABLE');
  await refused(t, () => choiceToCreate(interceptor, POST, observation('ann', 'bob')), 'NOT_PARTITIONABLE');
});

test('an optional type that belongs to no patient is in DEFAULT', async (t) => {
  const optional = patientCompartmentPartition({ partitions: 4, optionalTypes: ['Observation'] });
  t.deepEqual(await choiceToCreate(optional, POST, observation()), { by: 'id', ids: [0] });
});

for (const resource of [
  { resourceType: 'Practitioner' },
  VALUE_SET,
  { resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: 'Patient/ann' } }] },
  { resourceType: 'List', subject: { reference: 'Patient/ann' } },
]) {
  test(`a ${resource.resourceType} is in DEFAULT`, async (t) => {
    t.deepEqual(await choiceToCreate(interceptor, POST, resource), { by: 'id', ids: [0] });
    const read = aRequest({ resourceType: resource.resourceType });
    t.deepEqual(await choiceToRead(interceptor, read), { by: 'default' });
  });
}

test('a Patient is read in its own partition', async (t) => {
  const request = aRequest({ resourceType: 'Patient', resourceId: 'ann' });
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'id', ids: [partitionOf('ann')] });
});

type Row = readonly [
  type: string,
  parameters: readonly QueryParameter[],
  patients: readonly string[] | 'all',
];
const SEARCHES: readonly Row[] = [
  ['Patient', [['_id', 'ann,bob']], ['ann', 'bob']],
  ['Patient', [['name', 'ann']], 'all'],
  ['Observation', [['patient', 'ann']], ['ann']],
  ['Observation', [['patient', 'Patient/ann,bob']], ['ann', 'bob']],
  ['Observation', [['patient', 'http://localhost/fhir/Patient/ann']], ['ann']],
  ['Observation', [['subject', 'Patient/ann']], ['ann']],
  ['Observation', [['subject:Patient', 'ann']], ['ann']],
  [
    'Observation',
    [
      ['code', '1'],
      ['patient', 'ann'],
    ],
    ['ann'],
  ],
  ['Observation', [['subject', 'ann']], 'all'],
  ['Observation', [['subject', 'Device/1']], 'all'],
  ['Observation', [['patient', 'ann,Device/1']], 'all'],
  ['Observation', [['patient.name', 'ann']], 'all'],
  ['Observation', [['patient:identifier', 'ann']], 'all'],
  ['Observation', [['patient', 'ann\\,bob']], 'all'],
  ['Observation', [], 'all'],
];
for (const [resourceType, parameters, patients] of SEARCHES) {
  test(`${resourceType}?${new URLSearchParams(parameters as [string, string][])} looks in the partitions of ${patients}`, async (t) => {
    const request = aRequest({ interaction: 'search-type', resourceType, resourceId: undefined, parameters });
    const choice = await choiceToRead(interceptor, request);
    if (patients === 'all') t.deepEqual(choice, { by: 'all' });
    else t.deepEqual(choice, { by: 'id', ids: [...new Set(patients.map(partitionOf)), 0] });
  });
}

test('the server level reads all, and the capability statement is DEFAULT', async (t) => {
  const system = aRequest({ interaction: 'history-system', resourceType: undefined, resourceId: undefined });
  t.deepEqual(await choiceToRead(interceptor, system), { by: 'all' });
  t.deepEqual(await choiceToRead(interceptor, { ...system, interaction: 'capabilities' }), { by: 'default' });
});

test('partitions must be a positive integer', (t) => {
  for (const partitions of [0, -1, 1.5, Number.NaN])
    t.throws(() => patientCompartmentPartition({ partitions }));
});

test('over HTTP, a patient and what belongs to it share a partition', async (t) => {
  const selected: number[][] = [];
  const server = await serve(t, {
    settings: { partitioning: ['interceptors'], unnamedPartitions: true },
    interceptors: [
      interceptor,
      {
        name: 'recorder',
        hooks: {
          STORAGE_PARTITION_SELECTED: ({ partitions }) => void selected.push(partitions.map(({ id }) => id)),
        },
      },
    ],
  });
  for (const id of ['ann', 'bob']) {
    t.is((await send(server, `Patient/${id}`, { method: 'PUT', body: { ...PATIENT, id } })).status, 201);
    t.is((await send(server, 'Observation', { body: observation(id) })).status, 201);
  }
  t.true(selected.some((ids) => ids.length === 1 && ids[0] === partitionOf('ann')));
  t.is((await send(server, 'Patient/ann')).status, 200);
  t.is(idsOf(await send(server, 'Observation?patient=ann')).length, 1);
  t.is(idsOf(await send(server, 'Observation')).length, 2);
  t.deepEqual(idsOf(await send(server, 'Patient')), ['ann', 'bob']);
  t.is((await send(server, 'Patient', { body: PATIENT })).code, 'NOT_PARTITIONABLE');
});

test('over HTTP, a transaction may create a Patient together with what belongs to it', async (t) => {
  const server = await serve(t, {
    settings: { partitioning: ['interceptors'], unnamedPartitions: true },
    interceptors: [interceptor],
  });
  const fullUrl = 'urn:uuid:0193a7c0-0000-4000-8000-000000000001';
  const weight = {
    ...observation(),
    subject: { reference: fullUrl },
    valueQuantity: { value: 71.5, unit: 'kg' },
  };
  const body = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { resource: weight, request: { method: 'POST', url: 'Observation' } },
      { fullUrl, resource: PATIENT, request: { method: 'POST', url: 'Patient' } },
    ],
  };
  t.is((await send(server, '', { body })).status, 200);
  const [patient] = idsOf(await send(server, 'Patient'));
  t.truthy(patient);
  t.is(idsOf(await send(server, `Observation?patient=${patient}`)).length, 1);
  const conditional = { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=7' };
  const refusedBundle = { ...body, entry: [{ resource: PATIENT, request: conditional }] };
  t.is((await send(server, '', { body: refusedBundle })).code, 'NOT_PARTITIONABLE');
});

test('a bundle without a new Patient stays the same, whatever is in it', (t) => {
  const bundles = [
    {},
    { entry: 7 },
    { entry: [null, 7, {}, { resource: null, request: { method: 'POST', url: 'Patient' } }] },
  ];
  for (const bundle of bundles as unknown as readonly Bundle[])
    t.is(
      withPatientIds(bundle, () => 'x'),
      bundle,
    );
  const odd = {
    entry: [null, { resource: PATIENT, request: { method: 'POST', url: 'Patient' } }],
  } as unknown as Bundle;
  t.deepEqual(withPatientIds(odd, () => 'x').entry?.[1]?.request, { method: 'PUT', url: 'Patient/x' });
});

test('over HTTP, a change that would move a resource to another patient is refused', async (t) => {
  const server = await serve(t, {
    settings: { partitioning: ['interceptors'], unnamedPartitions: true },
    interceptors: [interceptor],
  });
  for (const id of ['ann', 'bob'])
    await send(server, `Patient/${id}`, { method: 'PUT', body: { ...PATIENT, id } });
  const made = await send(server, 'Observation', { body: observation('ann') });
  const body = { ...observation('bob'), id: made.body['id'] };
  const moved = await send(server, `Observation/${String(made.body['id'])}`, { method: 'PUT', body });
  t.not(partitionOf('ann'), partitionOf('bob'));
  t.is(moved.code, 'NOT_PARTITIONABLE');
});
