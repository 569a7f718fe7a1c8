import test, { type ExecutionContext } from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import { findSets } from '../../support/param-sets.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { allIds } from '../placement/fixtures.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { createParameter, matchesOf, parameterOf, patientWith } from '../search-parameters/fixtures.js';
import { lift, upliftChain } from '../search-parameters/uplift-fixtures.js';
import type { FhirClient } from '../support/fhir-client.js';

const [FULL, EMPTY] = ['full', 'empty'];

/** One resource that has something for each kind of parameter, and one that has nothing. */
const PAIRS: readonly (readonly [search: string, full: object])[] = [
  ['Patient?name', { name: [{ family: 'Okafor' }] }],
  ['Patient?identifier', { identifier: [{ system: 'urn:x', value: '1' }] }],
  ['Patient?birthdate', { birthDate: '1970-01-01' }],
  ['Patient?general-practitioner', { generalPractitioner: [{ reference: 'Organization/o' }] }],
  ['Patient?_profile', { meta: { profile: ['http://example.org/profile'] } }],
  ['Patient?_tag', { meta: { tag: [{ code: 't' }] } }],
  ['Observation?value-quantity', { valueQuantity: { value: 1, unit: 'kg' } }],
  ['Observation?code-value-quantity', { code: { coding: [{ code: 'x' }] }, valueQuantity: { value: 1 } }],
  ['Observation?component-code', { component: [{ code: { coding: [{ code: 'y' }] } }] }],
  ['Observation?subject', { subject: { reference: 'Patient/other' } }],
  ['Observation?patient', { subject: { reference: 'Patient/other' } }],
  ['RiskAssessment?probability', { prediction: [{ probabilityDecimal: 0.5 }] }],
  ['Location?near', { position: { latitude: 1, longitude: 2 } }],
  ['ValueSet?url', { url: 'http://example.org/vs' }],
];

const REQUIRED: Readonly<Record<string, object>> = {
  Observation: { status: 'final', code: { text: 'x' } },
  RiskAssessment: { status: 'final', subject: { reference: 'Patient/other' } },
  ValueSet: { status: 'active' },
};

function resourceOf(type: string, id: string, content: object): FhirResource {
  return { resourceType: type, id, ...REQUIRED[type], ...content } as FhirResource;
}

interface World {
  readonly database: TestDatabase;
  readonly root: FhirClient;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
  readonly settle: () => void;
}

async function openWorld(t: ExecutionContext): Promise<World> {
  const database = await createTestDatabase();
  const { server, client, settle } = await createReindexServer({ database, partitions: ['acme', 'beta'] });
  t.teardown(async () => {
    await server.stop();
    await database.drop();
  });
  return { database, root: client, acme: client.tenant('acme'), beta: client.tenant('beta'), settle };
}

async function put(client: FhirClient, type: string, id: string, content: object = {}): Promise<void> {
  const { status, text } = await client.put(`${type}/${id}`, resourceOf(type, id, content));
  if (status !== 200 && status !== 201) throw new Error(`PUT answered ${status}: ${text}`);
}

/** What has the parameter, and what has not; each resource is one of these, and every way to ask says the same. */
async function judged(
  t: ExecutionContext,
  client: FhirClient,
  search: string,
): Promise<{ readonly has: readonly string[]; readonly lacks: readonly string[] }> {
  const [type = '', name = ''] = search.split('?');
  const ids = (query: string): Promise<readonly string[]> => allIds(client, `${type}?${query}&_count=3`);
  const [all, has, lacks] = [
    await ids('_sort=_id'),
    await ids(`${name}:missing=false`),
    await ids(`${name}:missing=true`),
  ];
  t.deepEqual([...has, ...lacks].toSorted(), all.toSorted(), search);
  t.deepEqual(lacks, lacks.toSorted(), search);
  t.is(await client.count(`${type}?${name}:missing=true`), lacks.length, search);
  t.deepEqual(await ids(`${name}:missing=true&_sort=-_id`), lacks.toReversed(), search);
  t.deepEqual((await ids(`${name}:missing=true&_sort=_lastUpdated`)).toSorted(), lacks, search);
  return { has: has.toSorted(), lacks };
}

async function assertTrue(t: ExecutionContext, { database }: World, unknown = 0): Promise<void> {
  const found = await findSets((sql) => database.rows(sql));
  t.deepEqual(found.wrong, []);
  t.is(found.unknown, unknown);
  t.true(found.known > 0);
}

for (const [search, full] of PAIRS) {
  test(`${search}: what lacks it is found, also once it has lost it or got it`, async (t) => {
    const world = await openWorld(t);
    const type = search.split('?')[0] ?? '';
    const pinned = type === 'ValueSet';
    for (const client of pinned ? [world.root] : [world.acme, world.beta]) {
      await put(client, 'Patient', 'other');
      await put(client, 'Organization', 'o');
      await put(client, type, FULL, full);
      await put(client, type, EMPTY);
    }
    const { acme, beta } = pinned ? { acme: world.root, beta: world.root } : world;
    const others = type === 'Patient' ? ['other'] : [];
    t.deepEqual(await judged(t, acme, search), { has: [FULL], lacks: [EMPTY, ...others] });
    await assertTrue(t, world);

    await put(acme, type, FULL);
    await put(acme, type, EMPTY, full);
    t.deepEqual(await judged(t, acme, search), { has: [EMPTY], lacks: [FULL, ...others] });
    if (!pinned) t.deepEqual(await judged(t, beta, search), { has: [FULL], lacks: [EMPTY, ...others] });
    await assertTrue(t, world);

    await acme.delete(`${type}/${FULL}`);
    t.deepEqual(await judged(t, acme, search), { has: [EMPTY], lacks: others });
    await put(acme, type, FULL);
    await put(acme, type, FULL);
    t.deepEqual(await judged(t, acme, search), { has: [EMPTY], lacks: [FULL, ...others] });
    await assertTrue(t, world);
  });
}

test('a reference to another type, to a URL or to something logical is none to a patient', async (t) => {
  const world = await openWorld(t);
  const { acme } = world;
  await put(acme, 'Patient', 'p');
  await put(acme, 'Group', 'g', { type: 'person', actual: true });
  const references = {
    patient: { reference: 'Patient/p' },
    group: { reference: 'Group/g' },
    elsewhere: { reference: 'http://example.org/fhir/Patient/1' },
    'elsewhere-group': { reference: 'http://example.org/fhir/Group/1' },
    logical: { identifier: { value: 'x' } },
  };
  for (const [id, subject] of Object.entries(references)) await put(acme, 'Observation', id, { subject });
  t.deepEqual((await judged(t, acme, 'Observation?patient')).has, ['elsewhere', 'patient']);
  t.deepEqual((await judged(t, acme, 'Observation?subject')).lacks, []);
  await assertTrue(t, world);
});

test('several conditions, several types, several partitions and chains ask the same', async (t) => {
  const { root, acme, beta } = await openWorld(t);
  const contents = {
    a: {},
    b: { birthDate: '1970-01-01' },
    c: { name: [{ family: 'Okafor' }] },
    d: { birthDate: '1970-01-01', name: [{ family: 'Okafor' }], gender: 'male' },
  };
  for (const client of [acme, beta]) {
    for (const [id, content] of Object.entries(contents)) {
      await put(client, 'Patient', id, content);
      await put(client, 'Observation', `o${id}`, { subject: { reference: `Patient/${id}` } });
    }
  }
  const searches: readonly (readonly [search: string, ids: readonly string[]])[] = [
    ['Patient?name:missing=true&birthdate:missing=true', ['a']],
    ['Patient?name:missing=true&birthdate:missing=false', ['b']],
    ['Patient?name:missing=true&_id=a,c', ['a']],
    ['Patient?name:missing=true&_lastUpdated=gt2000', ['a', 'b']],
    ['Patient?birthdate:missing=true&family=okafor', ['c']],
    ['Patient?_filter=name pr false or birthdate pr false', ['a', 'b', 'c']],
    ['Patient?_filter=not (name pr false)', ['c', 'd']],
    ['Observation?subject:Patient.name:missing=true', ['oa', 'ob']],
    ['Patient?_has:Observation:patient:code:missing=true', []],
    ['?_type=Patient,Observation&_profile:missing=true', ['a', 'b', 'c', 'd', 'oa', 'ob', 'oc', 'od']],
  ];
  for (const [search, ids] of searches) {
    t.deepEqual((await allIds(acme, search)).toSorted(), ids, search);
    const everywhere = await allIds(root.tenant('_ALL'), `${search}&_count=3`);
    t.deepEqual(everywhere.toSorted(), [...ids, ...ids].toSorted(), search);
  }
});

test('a parameter that comes later is lacked by all until a reindex, and lifted values change nothing', async (t) => {
  const world = await openWorld(t);
  const { root, acme, settle } = world;
  const colour = { extension: (patientWith('colour', 'red') as { extension: object[] }).extension };
  await put(acme, 'Patient', 'old', { ...colour, name: [{ family: 'Okafor' }] });
  await put(acme, 'Patient', 'none');
  await put(acme, 'Observation', 'o', { subject: { reference: 'Patient/old' } });
  await createParameter(root, parameterOf('colour'));
  await lift(root, 'clinical-patient', [upliftChain('name', 'patient-name')]);
  settle();
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?colour:missing=true')), ['none', 'old']);
  t.like(await reindexed(root), { state: 'done', failed: 0 });
  t.deepEqual(await judged(t, acme, 'Patient?colour'), { has: ['old'], lacks: ['none'] });
  await put(acme, 'Patient', 'old', { name: [{ family: 'Adeyemi' }] });
  t.deepEqual(await judged(t, acme, 'Patient?colour'), { has: [], lacks: ['none', 'old'] });
  t.deepEqual(await allIds(acme, 'Observation?patient.name:missing=true'), []);
  t.deepEqual(await allIds(acme, 'Observation?patient.name=adeyemi'), ['o']);
  await assertTrue(t, world);
});

test('what is contained, and a transaction that refers within itself, have the sets of their rows', async (t) => {
  const world = await openWorld(t);
  const { acme } = world;
  await put(acme, 'Observation', 'o', {
    contained: [{ resourceType: 'Patient', id: 'p', name: [{ family: 'Inside' }], birthDate: '1970-01-01' }],
    subject: { reference: '#p' },
  });
  const entry = [
    {
      fullUrl: 'urn:uuid:1',
      resource: { resourceType: 'Practitioner' },
      request: { method: 'POST', url: 'Practitioner' },
    },
    {
      resource: resourceOf('Observation', '', { id: undefined, performer: [{ reference: 'urn:uuid:1' }] }),
      request: { method: 'POST', url: 'Observation' },
    },
  ];
  const { status, text } = await acme.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  t.is(status, 200, text);
  t.is((await judged(t, acme, 'Observation?performer')).has.length, 1);
  t.deepEqual(await allIds(acme, 'Patient?birthdate:missing=true&_contained=true'), []);
  await assertTrue(t, world);
});
