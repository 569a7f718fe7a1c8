import test from 'ava';
import type { Bundle, ValueSet } from 'fhir/r4.js';
import { visible } from '../../../src/isolation/heard.js';
import { createTestServer } from '../../support/test-server.js';
import { placementUnderTest } from '../../support/test-store.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import {
  assertNothingOf,
  diagnosticsOf,
  FOREIGN_ID,
  openSeededWorld,
  openWorld,
  store,
  UNUSED_ID,
} from './fixtures.js';

const OBSERVATION = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
const VALUE_SET = { resourceType: 'ValueSet', status: 'draft', url: 'http://example.org/vs' };

/** References across partitions need one database for all of them: see placements.test.ts for what they get else. */
const together = placementUnderTest() === 'shared' ? test : test.skip;

test("references 'same': a target of DEFAULT is as unknown as one of a neighbour", async (t) => {
  const world = await openSeededWorld();
  t.teardown(() => world.server.stop());
  await world.root.put('Patient/shared', { resourceType: 'Patient', id: 'shared' });
  for (const id of ['shared', FOREIGN_ID, UNUSED_ID]) {
    const answer = await world.acme.client.post('Observation', {
      ...OBSERVATION,
      subject: { reference: `Patient/${id}` },
    });
    assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
    t.is(diagnosticsOf(answer), `Reference target Patient/${id} was not found.`);
  }
});

together("references 'default': a target of DEFAULT is found, one of a neighbour is not", async (t) => {
  const world = await openSeededWorld({ settings: { references: 'default' } });
  t.teardown(() => world.server.stop());
  const { acme, root } = world;
  await root.put('Patient/shared', { resourceType: 'Patient', id: 'shared', name: [{ family: 'Shared' }] });
  const shared = await acme.client.post('Observation', {
    ...OBSERVATION,
    subject: { reference: 'Patient/shared' },
  });
  t.is(shared.status, 201);
  const foreign = await acme.client.post('Observation', {
    ...OBSERVATION,
    subject: { reference: `Patient/${FOREIGN_ID}` },
  });
  const unused = await acme.client.post('Observation', {
    ...OBSERVATION,
    subject: { reference: `Patient/${UNUSED_ID}` },
  });
  assertError(t, foreign, 400, 'REFERENCE_NOT_FOUND');
  t.deepEqual(visible(foreign, FOREIGN_ID), visible(unused, UNUSED_ID));
  const included = await acme.client.get<Bundle>(
    'Observation?subject=Patient/shared&_include=Observation:subject',
  );
  t.false(included.text.includes('Shared'), 'what is read stays in the scope');
  t.is(await acme.client.count('Observation?patient.name=shared'), 0);
});

together("references 'any': a target of a neighbour is found, and still not shown", async (t) => {
  const world = await openSeededWorld({ settings: { references: 'any' } });
  t.teardown(() => world.server.stop());
  const { acme, beta } = world;
  const stored = await acme.client.post('Observation', {
    ...OBSERVATION,
    subject: { reference: `Patient/${FOREIGN_ID}` },
  });
  t.is(stored.status, 201);
  const unused = await acme.client.post('Observation', {
    ...OBSERVATION,
    subject: { reference: `Patient/${UNUSED_ID}` },
  });
  assertError(t, unused, 400, 'REFERENCE_NOT_FOUND');
  const search = `Observation?subject=Patient/${FOREIGN_ID}&_include=Observation:subject`;
  assertNothingOf(t, await acme.client.get<Bundle>(search), beta);
  t.is(await acme.client.count(`Observation?patient.name=${FOREIGN_ID}`), 0);
  const all = await world.root.tenant('_ALL').get<Bundle>(search);
  t.true(all.text.includes(beta.canary));
  t.is((await beta.client.delete(`Observation/${FOREIGN_ID}`)).status, 204);
  t.is(
    (await beta.client.delete(`Patient/${FOREIGN_ID}`)).status,
    204,
    'a referrer elsewhere blocks no delete',
  );
});

together(
  'a resource whose target was deleted elsewhere can still be changed, but gets no new such reference',
  async (t) => {
    const world = await openSeededWorld({ settings: { references: 'default' } });
    t.teardown(() => world.server.stop());
    const { acme, root } = world;
    await root.put('Patient/shared', { resourceType: 'Patient', id: 'shared' });
    const held = { ...OBSERVATION, id: 'held', subject: { reference: 'Patient/shared' } };
    t.is((await acme.client.put('Observation/held', held)).status, 201);
    t.is((await root.delete('Patient/shared')).status, 204);
    t.is((await acme.client.put('Observation/held', { ...held, status: 'amended' })).status, 200);
    assertError(t, await acme.client.post('Observation', held), 400, 'REFERENCE_NOT_FOUND');
    t.is(await acme.client.count('Observation?subject=Patient/shared'), 0, 'what is gone is not found by');
  },
);

test("resourceIds 'server': a taken id is 409, and tells nothing of its holder", async (t) => {
  const world = await openWorld({ settings: { resourceIds: 'server' } });
  t.teardown(() => world.server.stop());
  const { acme, beta } = world;
  await store(beta, { resourceType: 'Patient', id: 'once', name: [{ text: beta.canary }] });
  const body = { resourceType: 'Patient', id: 'once' };
  const taken = await acme.client.put('Patient/once', body);
  assertError(t, taken, 409, 'DUPLICATE');
  assertNothingOf(t, taken, beta);
  assertError(t, await acme.client.get('Patient/once'), 404, 'NOT_FOUND');
  assertError(
    t,
    await acme.client.put('Patient/once', body, { 'if-match': 'W/"1"' }),
    412,
    'VERSION_MISMATCH',
  );
  t.is((await acme.client.delete('Patient/once')).status, 204);
  t.is(
    (await acme.client.put('Observation/once', { ...OBSERVATION, id: 'once' })).status,
    201,
    'a type has ids of its own',
  );
  t.is((await beta.client.put('Patient/once', body)).status, 200);
  t.is((await beta.client.delete('Patient/once')).status, 204);
  assertError(t, await acme.client.put('Patient/once', body), 409, 'DUPLICATE');
  t.is((await beta.client.put('Patient/once', body)).status, 201, 'its owner may use it again');
});

test("resourceIds 'server': a purge gives the ids back", async (t) => {
  const world = await openWorld({ settings: { resourceIds: 'server' } });
  t.teardown(() => world.server.stop());
  const { acme, beta, root } = world;
  await store(beta, { resourceType: 'Patient', id: 'once' });
  const parameter = [
    { name: 'id', valueInteger: 2 },
    { name: 'purge', valueBoolean: true },
  ];
  await root.post('$partition-management-delete-partition', { resourceType: 'Parameters', parameter });
  await t.notThrowsAsync(async () => {
    for (let turn = 0; turn < 100; turn++) {
      if ((await acme.client.put('Patient/once', { resourceType: 'Patient', id: 'once' })).status === 201)
        return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the id stays taken');
  });
});

test('partitioning off: a tenant in the URL is no resource type, and everything is DEFAULT’s', async (t) => {
  const server = await createTestServer({ partitions: ['acme'], settings: { partitioning: ['off'] } });
  t.teardown(() => server.stop());
  const client = new FhirClient(server.url);
  assertError(t, await client.get('acme/Patient'), 404, 'UNKNOWN_RESOURCE_TYPE');
  assertError(t, await client.get('_ALL/Patient'), 404, 'UNKNOWN_RESOURCE_TYPE');
  const created = await client.post('Patient', { resourceType: 'Patient' }, { 'x-tenant-id': 'acme' });
  t.is(created.status, 201);
  t.regex(created.headers.get('location') ?? '', new RegExp(`^${server.url}/Patient/`));
  t.is(await client.count('Patient'), 1);
  t.is((await client.post('ValueSet', VALUE_SET)).status, 201);
});

test('unnamed partitions: every integer is one, and none is managed', async (t) => {
  const server = await createTestServer({ settings: { unnamedPartitions: true } });
  t.teardown(() => server.stop());
  const root = new FhirClient(server.url);
  const [one, two] = [root.tenant('7'), root.tenant('-8')];
  t.is(await one.count('Patient'), 0);
  t.is((await one.put('Patient/p1', { resourceType: 'Patient', id: 'p1' })).status, 201);
  t.is((await two.put('Patient/p1', { resourceType: 'Patient', id: 'p1' })).status, 201);
  t.is(await one.count('Patient'), 1);
  t.is(await root.count('Patient'), 0);
  t.is(await root.tenant('_ALL').count('Patient'), 2);
  for (const name of ['acme', '1.5', '99999999999', '2147483648']) {
    t.regex(String((await root.tenant(name).get('Patient')).status), /^40[04]$/, name);
  }
  for (const operation of [
    'list-partitions',
    'create-partition',
    'read-partition',
    'update-partition',
    'delete-partition',
  ]) {
    const answer = await root.post(`$partition-management-${operation}`, {
      resourceType: 'Parameters',
      parameter: [],
    });
    t.is(answer.status, 405, operation);
  }
});

test('a type of DEFAULT’s is stored there through any tenant, and read through any', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.server.stop());
  const { acme, beta, root } = world;
  const created = await acme.client.post<ValueSet>('ValueSet', VALUE_SET);
  t.is(created.status, 201);
  const { id } = created.body;
  t.is(created.headers.get('location'), `${root.base}/DEFAULT/ValueSet/${id}/_history/1`);
  for (const client of [root, root.tenant('DEFAULT'), acme.client, beta.client]) {
    t.is((await client.get(`ValueSet/${id}`)).status, 200);
    t.is((await client.get(`ValueSet/${id}/_history`)).status, 200);
    t.is(await client.count('ValueSet?url=http://example.org/vs'), 1);
  }
  t.is((await beta.client.put(`ValueSet/${id}`, { ...VALUE_SET, id })).status, 200);
  t.is((await acme.client.get<ValueSet>(`ValueSet/${id}`)).body.meta?.versionId, '2');
  t.is((await root.get<Bundle>('ValueSet/_history')).body.total, 2);
  assertError(t, await root.tenant('nobody').post('ValueSet', VALUE_SET), 404, 'UNKNOWN_PARTITION');
  assertError(t, await root.tenant('nobody').get(`ValueSet/${id}`), 404, 'UNKNOWN_PARTITION');
});

test("conformanceWrites 'reject': a type of DEFAULT's is written under DEFAULT only", async (t) => {
  const world = await openWorld({ settings: { conformanceWrites: 'reject' } });
  t.teardown(() => world.server.stop());
  const { acme, root } = world;
  assertError(t, await acme.client.post('ValueSet', VALUE_SET), 422, 'NOT_PARTITIONABLE');
  assertError(t, await acme.client.put('ValueSet/v1', { ...VALUE_SET, id: 'v1' }), 422, 'NOT_PARTITIONABLE');
  t.is((await root.tenant('DEFAULT').put('ValueSet/v1', { ...VALUE_SET, id: 'v1' })).status, 201);
  assertError(t, await acme.client.put('ValueSet/v1', { ...VALUE_SET, id: 'v1' }), 422, 'NOT_PARTITIONABLE');
  assertError(t, await acme.client.delete('ValueSet/v1'), 422, 'NOT_PARTITIONABLE');
  t.is((await acme.client.get('ValueSet/v1')).status, 200);
});

test('header tenants are held apart as those of the URL are', async (t) => {
  const world = await openWorld({ settings: { partitioning: ['header'] } });
  t.teardown(() => world.server.stop());
  const { root } = world;
  const acme = { 'x-tenant-id': 'acme' };
  const beta = { 'x-tenant-id': 'beta' };
  t.is((await root.put('Patient/p1', { resourceType: 'Patient', id: 'p1' }, acme)).status, 201);
  t.is((await root.get('Patient/p1', acme)).status, 200);
  t.is((await root.get('Patient/p1', beta)).status, 404);
  t.is((await root.get('Patient/p1')).status, 404);
  t.is((await root.get('Patient/p1', { 'x-request-partition-ids': '1,2' })).status, 200);
  assertError(
    t,
    await root.get('Patient/p1', { ...acme, 'x-request-partition-ids': '2' }),
    400,
    'TENANT_MISMATCH',
  );
  assertError(t, await root.tenant('beta').get('Patient/p1', acme), 400, 'TENANT_MISMATCH');
  assertError(t, await root.get('Patient/p1', { 'x-tenant-id': 'a b' }), 400, 'TENANT_MALFORMED');
  assertError(t, await root.get('Patient/p1', { 'x-tenant-id': 'nobody' }), 404, 'UNKNOWN_PARTITION');
});
