import test from 'ava';
import { headerPartition } from '../../interceptors/header-partition.js';
import { requestTenantPartition } from '../../interceptors/request-tenant-partition.js';
import type { PartitionChoice } from '../../src/index.js';
import {
  PATIENT,
  VALUE_SET,
  aPartition,
  aRequest,
  choiceToCreate,
  choiceToRead,
  idsOf,
  refused,
  select,
  send,
  serve,
} from './fixtures.js';

const NAME = 'X-Tenant-ID';
const IDS = 'X-Request-Partition-IDs';

test('without its headers the next interceptor is asked', async (t) => {
  t.is(await choiceToRead(headerPartition(), aRequest({ urlTenant: 'acme' })), undefined);
  t.is(await choiceToCreate(headerPartition(), aRequest()), undefined);
});

test('or, where told so, it is DEFAULT', async (t) => {
  t.deepEqual(await choiceToRead(headerPartition({ otherwise: 'default' }), aRequest()), { by: 'default' });
});

test('X-Tenant-ID names a partition', async (t) => {
  const request = aRequest({ headers: { [NAME]: ' acme ' } });
  t.deepEqual(await choiceToRead(headerPartition(), request), { by: 'name', names: ['acme'] });
  const all = aRequest({ headers: { [NAME]: '_ALL' } });
  t.deepEqual(await choiceToRead(headerPartition(), all), { by: 'all' });
});

const LISTS = {
  '1': [1],
  '1,2,DEFAULT': [1, 2, 0],
  '-7, 2147483647': [-7, 2_147_483_647],
  DEFAULT: [0],
} as const;
for (const [text, ids] of Object.entries(LISTS)) {
  test(`X-Request-Partition-IDs: ${text} is a list of ids`, async (t) => {
    t.deepEqual(await choiceToRead(headerPartition(), aRequest({ headers: { [IDS]: text } })), {
      by: 'id',
      ids,
    });
  });
}

test('X-Request-Partition-IDs: _ALL reads all', async (t) => {
  t.deepEqual(await choiceToRead(headerPartition(), aRequest({ headers: { [IDS]: '_ALL' } })), { by: 'all' });
});

for (const text of [
  '',
  ',',
  '1,',
  '1,,2',
  'acme',
  '1,_ALL',
  '1.5',
  '1e3',
  '0x1',
  '2147483648',
  '99999999999',
  'default',
]) {
  test(`X-Request-Partition-IDs: '${text}' is malformed, also where the URL has a tenant`, async (t) => {
    const request = aRequest({ urlTenant: 'acme', headers: { [IDS]: text } });
    await refused(t, () => choiceToRead(headerPartition(), request), 'TENANT_MALFORMED');
    await refused(t, () => choiceToCreate(headerPartition(), request), 'TENANT_MALFORMED');
  });
}

for (const text of ['', 'ac me', 'acme,beta', '../acme', 'ac%6de', 'a'.repeat(201)]) {
  test(`X-Tenant-ID: '${text.slice(0, 12)}' is malformed`, async (t) => {
    const request = aRequest({ headers: { [NAME]: text } });
    await refused(t, () => choiceToRead(headerPartition(), request), 'TENANT_MALFORMED');
  });
}

test('a header that was sent twice is malformed, even with the same value', async (t) => {
  for (const header of [NAME, IDS]) {
    const request = aRequest({ headers: { [header]: ['1', '1'] } });
    await refused(t, () => choiceToRead(headerPartition(), request), 'TENANT_MALFORMED');
  }
});

test('the headers can have other names', async (t) => {
  const own = headerPartition({ tenantHeader: 'X-Clinic', idsHeader: 'X-Clinic-Ids' });
  t.deepEqual(await choiceToRead(own, aRequest({ headers: { 'X-Clinic': 'acme' } })), {
    by: 'name',
    names: ['acme'],
  });
  t.deepEqual(await choiceToRead(own, aRequest({ headers: { 'X-Clinic-IDs': '3' } })), {
    by: 'id',
    ids: [3],
  });
  t.is(await choiceToRead(own, aRequest({ headers: { [NAME]: 'acme' } })), undefined);
});

test('a tenant in the URL must be the one in the header', async (t) => {
  const other = aRequest({ urlTenant: 'beta', headers: { [NAME]: 'acme' } });
  await refused(t, () => choiceToRead(headerPartition(), other), 'TENANT_MISMATCH');
  const all = aRequest({ urlTenant: '_ALL', headers: { [NAME]: 'acme' } });
  await refused(t, () => choiceToRead(headerPartition(), all), 'TENANT_MISMATCH');
  const same = aRequest({ urlTenant: 'acme', headers: { [NAME]: 'acme' } });
  t.deepEqual(await choiceToRead(headerPartition(), same), { by: 'name', names: ['acme'] });
});

test('a name and ids must mean the same partitions', async (t) => {
  const interceptor = headerPartition();
  const request = aRequest({ headers: { [NAME]: 'acme', [IDS]: '1' } });
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'name', names: ['acme'] });
  await t.notThrowsAsync(select(interceptor, request, { partitions: [aPartition(1, 'acme')] }));
  await refused(
    t,
    () => select(interceptor, request, { partitions: [aPartition(2, 'acme')] }),
    'TENANT_MISMATCH',
  );
});

test('what another kind of interceptor selects is none of its business', async (t) => {
  const request = aRequest({ headers: { [NAME]: 'acme' } });
  await t.notThrowsAsync(select(headerPartition(), request, { partitions: [aPartition(2, 'lab')] }));
});

test('a type of DEFAULT is written there instead of to the tenant, named or by id', async (t) => {
  t.deepEqual(await createValueSet({ [NAME]: 'acme' }), { by: 'default', insteadOf: 'acme' });
  t.deepEqual(await createValueSet({ [IDS]: '7' }), { by: 'default', insteadOf: 7 });
  t.deepEqual(await createValueSet({ [IDS]: '7,8' }), { by: 'id', ids: [7, 8] });
});

test("an entry of a bundle has the bundle's headers", async (t) => {
  const bundle = aRequest({ interaction: 'batch', headers: { [NAME]: 'acme' } });
  const entry = aRequest({ parent: bundle, headers: { [NAME]: 'beta' } });
  t.deepEqual(await choiceToRead(headerPartition(), entry), { by: 'name', names: ['acme'] });
});

const PARTITIONS = [
  { id: 1, name: 'acme' },
  { id: 2, name: 'beta' },
];

test('over HTTP, by name and by id, a tenant sees its own and the neighbour nothing', async (t) => {
  const server = await serve(t, { partitions: PARTITIONS, settings: { partitioning: ['header'] } });
  const made = await send(server, 'Patient', { body: PATIENT, headers: { [NAME]: 'acme' } });
  const id = String(made.body['id']);
  t.is(made.status, 201);
  const read = (headers: Record<string, string>) => send(server, `Patient/${id}`, { headers });
  const found = (headers: Record<string, string>) => send(server, 'Patient', { headers }).then(idsOf);
  for (const headers of [{ [NAME]: 'acme' }, { [IDS]: '1' }, { [IDS]: '2,1' }, { [IDS]: '_ALL' }]) {
    t.is((await read(headers)).status, 200, JSON.stringify(headers));
    t.deepEqual(await found(headers), [id]);
  }
  for (const headers of [{ [NAME]: 'beta' }, { [IDS]: '2' }, { [IDS]: 'DEFAULT,2' }, {}]) {
    t.is((await read(headers)).status, 404, JSON.stringify(headers));
    t.deepEqual(await found(headers), []);
  }
});

test('over HTTP, typing errors and disagreement are refused and never fall through', async (t) => {
  const server = await serve(t, { partitions: PARTITIONS, settings: { partitioning: ['url', 'header'] } });
  const code = async (path: string, headers: Record<string, string>) =>
    (await send(server, path, { headers })).code;
  t.is(await code('acme/Patient', { [IDS]: '1,x' }), 'TENANT_MALFORMED');
  t.is(await code('acme/Patient', { [NAME]: 'ac me' }), 'TENANT_MALFORMED');
  t.is(await code('acme/Patient', { [NAME]: 'beta' }), 'TENANT_MISMATCH');
  t.is(await code('acme/Patient', { [IDS]: '2' }), 'TENANT_MISMATCH');
  t.is(await code('Patient', { [NAME]: 'acme', [IDS]: '2' }), 'TENANT_MISMATCH');
  t.is(await code('Patient', { [NAME]: 'acne' }), 'UNKNOWN_PARTITION');
  t.is(await code('Patient', { [IDS]: '3' }), 'UNKNOWN_PARTITION');
  t.is(await code('acme/Patient', { [NAME]: 'acme', [IDS]: '1' }), undefined);
  const two = await send(server, 'Patient', { body: PATIENT, headers: { [IDS]: '1,2' } });
  t.is(two.code, 'PARTITION_REQUIRED_ONE');
  const conformance = await send(server, 'ValueSet', { body: VALUE_SET, headers: { [IDS]: '3' } });
  t.is(conformance.code, 'UNKNOWN_PARTITION');
});

test('over HTTP, registered one by one, URL and header still may not disagree', async (t) => {
  const interceptors = [requestTenantPartition(), headerPartition()];
  const server = await serve(t, {
    partitions: PARTITIONS,
    settings: { partitioning: ['interceptors'] },
    interceptors,
  });
  t.is((await send(server, 'acme/Patient', { headers: { [NAME]: 'beta' } })).code, 'TENANT_MISMATCH');
  t.is((await send(server, 'acme/Patient', { headers: { [IDS]: '2' } })).code, 'TENANT_MISMATCH');
  t.is((await send(server, 'acme/Patient')).status, 200);
});

async function createValueSet(headers: Record<string, string>): Promise<PartitionChoice | undefined> {
  return choiceToCreate(headerPartition(), aRequest({ headers }), VALUE_SET);
}
