import test from 'ava';
import { requestTenantPartition } from '../../interceptors/request-tenant-partition.js';
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

test('the tenant in the URL is the partition of reads and creates', async (t) => {
  const request = aRequest({ urlTenant: 'acme' });
  t.deepEqual(await choiceToRead(requestTenantPartition(), request), { by: 'name', names: ['acme'] });
  t.deepEqual(await choiceToCreate(requestTenantPartition(), request), { by: 'name', names: ['acme'] });
});

test('without a tenant it is DEFAULT', async (t) => {
  t.deepEqual(await choiceToRead(requestTenantPartition(), aRequest()), { by: 'default' });
  t.deepEqual(await choiceToCreate(requestTenantPartition(), aRequest()), { by: 'default' });
});

test('_ALL reads all partitions, unless it is switched off', async (t) => {
  const request = aRequest({ urlTenant: '_ALL' });
  t.deepEqual(await choiceToRead(requestTenantPartition(), request), { by: 'all' });
  const closed = requestTenantPartition({ allPartitions: false });
  await refused(t, () => choiceToRead(closed, request), 'FORBIDDEN');
});

for (const interaction of ['update', 'patch', 'delete'] as const) {
  test(`_ALL is not for ${interaction}`, async (t) => {
    const request = aRequest({ urlTenant: '_ALL', interaction });
    await refused(t, () => choiceToRead(requestTenantPartition(), request), 'PARTITION_REQUIRED_ONE');
  });
}

test('a type of DEFAULT is written there instead of to the tenant, which must exist', async (t) => {
  const choice = await choiceToCreate(requestTenantPartition(), aRequest({ urlTenant: 'acme' }), VALUE_SET);
  t.deepEqual(choice, { by: 'default', insteadOf: 'acme' });
});

test('conformanceWrites: reject refuses such types under a tenant, and not under DEFAULT or without one', async (t) => {
  const strict = requestTenantPartition({ conformanceWrites: 'reject' });
  const create = (urlTenant: string | undefined) =>
    choiceToCreate(strict, aRequest({ urlTenant }), VALUE_SET);
  await refused(t, () => create('acme'), 'NOT_PARTITIONABLE');
  t.deepEqual(await create('DEFAULT'), { by: 'default', insteadOf: 'DEFAULT' });
  t.deepEqual(await create(undefined), { by: 'default' });
  const update = aRequest({ urlTenant: 'acme', interaction: 'update', resourceType: 'ValueSet' });
  await refused(t, () => choiceToRead(strict, update), 'NOT_PARTITIONABLE');
  t.truthy(await choiceToRead(strict, { ...update, interaction: 'read' }));
});

test('partitionSearchParameters: a SearchParameter under a tenant is its own, a ValueSet is not', async (t) => {
  const own = requestTenantPartition({ partitionSearchParameters: true });
  const request = aRequest({ urlTenant: 'acme' });
  const parameter = { resourceType: 'SearchParameter' };
  t.deepEqual(await choiceToCreate(own, request, parameter), { by: 'name', names: ['acme'] });
  t.deepEqual(await choiceToCreate(own, request, VALUE_SET), { by: 'default', insteadOf: 'acme' });
});

for (const urlTenant of ['', ' acme', 'acme.', '..', 'ac/me', 'acmé', 'a'.repeat(201), 'acme\0']) {
  test(`${JSON.stringify(urlTenant.slice(0, 10))} cannot be a tenant`, async (t) => {
    await refused(
      t,
      () => choiceToRead(requestTenantPartition(), aRequest({ urlTenant })),
      'TENANT_MALFORMED',
    );
  });
}

test('where partitions are unnamed, the tenant is an id', async (t) => {
  const unnamed = requestTenantPartition({ unnamedPartitions: true });
  t.deepEqual(await choiceToRead(unnamed, aRequest({ urlTenant: '42' })), { by: 'id', ids: [42] });
  await refused(t, () => choiceToRead(unnamed, aRequest({ urlTenant: '4294967296' })), 'TENANT_MALFORMED');
  await refused(t, () => choiceToRead(unnamed, aRequest({ urlTenant: 'acme' })), 'TENANT_MALFORMED');
});

const OWN = { settings: { partitioning: ['interceptors'] as const }, partitions: ['acme', 'beta'] };

test('over HTTP, a tenant sees its own resources and the neighbour sees nothing', async (t) => {
  const server = await serve(t, { ...OWN, interceptors: [requestTenantPartition()] });
  const made = await send(server, 'acme/Patient', { body: PATIENT });
  const id = String(made.body['id']);
  t.is(made.status, 201);
  t.true(made.headers.get('location')?.startsWith(`${server.url}/acme/Patient/${id}`));
  t.is((await send(server, `acme/Patient/${id}`)).status, 200);
  t.deepEqual(idsOf(await send(server, 'acme/Patient')), [id]);
  for (const tenant of ['beta/', 'DEFAULT/', '']) {
    t.is((await send(server, `${tenant}Patient/${id}`)).status, 404);
    t.deepEqual(idsOf(await send(server, `${tenant}Patient?_id=${id}`)), []);
  }
  t.deepEqual(idsOf(await send(server, '_ALL/Patient')), [id]);
});

test('over HTTP, an unknown tenant is 404 for every type and a write under _ALL is 400', async (t) => {
  const server = await serve(t, { ...OWN, interceptors: [requestTenantPartition()] });
  for (const body of [PATIENT, VALUE_SET]) {
    const type = body.resourceType;
    t.is((await send(server, `acne/${type}`, { body })).code, 'UNKNOWN_PARTITION');
    t.is((await send(server, `acne/${type}`)).code, 'UNKNOWN_PARTITION');
    t.is((await send(server, `ACME/${type}`)).code, 'UNKNOWN_PARTITION');
    t.is((await send(server, `_ALL/${type}`, { body })).code, 'PARTITION_REQUIRED_ONE');
  }
});

test('over HTTP, a ValueSet written under one tenant is in DEFAULT and read under every tenant', async (t) => {
  const server = await serve(t, { ...OWN, interceptors: [requestTenantPartition()] });
  const made = await send(server, 'acme/ValueSet', { body: VALUE_SET });
  t.is(made.status, 201);
  for (const tenant of ['acme/', 'beta/', 'DEFAULT/', '']) {
    t.is((await send(server, `${tenant}ValueSet/${String(made.body['id'])}`)).status, 200);
  }
});
