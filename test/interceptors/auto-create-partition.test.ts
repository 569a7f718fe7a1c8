import test from 'ava';
import { autoCreatePartition } from '../../interceptors/auto-create-partition.js';
import type { CreatablePartitions } from '../../interceptors/auto-create-partition.js';
import { requestTenantPartition } from '../../interceptors/request-tenant-partition.js';
import { DESCRIBED_ONLY, FhirError } from '../../src/index.js';
import type { Partition } from '../../src/index.js';
import {
  PATIENT,
  VALUE_SET,
  aPartition,
  aRequest,
  choiceToCreate,
  choiceToRead,
  idsOf,
  refused,
  send,
  serve,
} from './fixtures.js';

/** Partitions in memory, whose creation fails as often as told because somebody else was faster. */
function aStore({ lost = 0 } = {}): CreatablePartitions & { readonly created: string[] } {
  const known = new Map<string, Partition>([['known', aPartition(1, 'known')]]);
  const created: string[] = [];
  let left = lost;
  return {
    created,
    read: ({ name }) => {
      const found = known.get(name);
      if (found) return found;
      throw new FhirError('UNKNOWN_PARTITION', name);
    },
    create: async ({ name }) => {
      await new Promise(setImmediate);
      left -= 1;
      if (left >= 0 || known.has(name)) throw new FhirError('PARTITION_EXISTS', name);
      created.push(name);
      const partition = aPartition(known.size + 1, name);
      known.set(name, partition);
      return partition;
    },
  };
}

function over(store: CreatablePartitions) {
  return autoCreatePartition(requestTenantPartition(), { partitions: () => store });
}

const NEW = aRequest({ urlTenant: 'new', interaction: 'create' });

test('a create registers the partition it names', async (t) => {
  const store = aStore();
  t.deepEqual(await choiceToCreate(over(store), NEW), { by: 'name', names: ['new'] });
  await choiceToCreate(over(store), aRequest({ urlTenant: 'known' }));
  t.deepEqual(store.created, ['new']);
});

test('a ValueSet registers the partition that it does not go to', async (t) => {
  const store = aStore();
  t.deepEqual(await choiceToCreate(over(store), NEW, VALUE_SET), { by: 'default', insteadOf: 'new' });
  t.deepEqual(store.created, ['new']);
});

test('first writes at the same moment make one partition each', async (t) => {
  const store = aStore();
  const interceptor = over(store);
  const tenants = ['a', 'b', 'a', 'c', 'a', 'b'];
  await Promise.all(tenants.map((urlTenant) => choiceToCreate(interceptor, aRequest({ urlTenant }))));
  t.deepEqual(store.created.toSorted(), ['a', 'b', 'c']);
});

test('it tries again where somebody else took the next id, and gives up in the end', async (t) => {
  const store = aStore({ lost: 2 });
  await choiceToCreate(over(store), NEW);
  t.deepEqual(store.created, ['new']);
  await refused(t, () => choiceToCreate(over(aStore({ lost: 3 })), NEW), 'PARTITION_EXISTS');
});

test('one creation that fails does not keep the next from going on', async (t) => {
  const store = aStore({ lost: 3 });
  const interceptor = over(store);
  await refused(t, () => choiceToCreate(interceptor, NEW), 'PARTITION_EXISTS');
  await choiceToCreate(interceptor, NEW);
  t.deepEqual(store.created, ['new']);
});

const entry = (method: string) => ({ request: { method, url: 'Patient' } });
const READS = [
  [{ interaction: 'read' }, []],
  [{ interaction: 'search-type' }, []],
  [{ interaction: 'patch' }, []],
  [{ interaction: 'delete' }, []],
  [{ interaction: 'operation' }, []],
  [{ interaction: 'update' }, ['new']],
  [{ interaction: 'batch', body: { entry: [entry('GET')] } }, []],
  [{ interaction: 'batch', body: { entry: [entry('GET'), entry('PUT')] } }, ['new']],
  [{ interaction: 'transaction', body: { entry: [entry('POST')] } }, ['new']],
  [{ interaction: 'transaction', body: { entry: [null, 7, {}] } }, []],
  [{ interaction: 'transaction', body: null }, []],
] as const;
for (const [request, created] of READS) {
  test(`${JSON.stringify(request)} registers ${created.length === 0 ? 'nothing' : 'the partition'}`, async (t) => {
    const store = aStore();
    await choiceToRead(over(store), aRequest({ urlTenant: 'new', ...request }));
    t.deepEqual(store.created, [...created]);
  });
}

test('a list of those that are allowed keeps others from being registered', async (t) => {
  const store = aStore();
  const interceptor = autoCreatePartition(requestTenantPartition(), {
    partitions: () => store,
    allow: (name) => name.startsWith('clinic-'),
  });
  await choiceToCreate(interceptor, NEW);
  await choiceToCreate(interceptor, aRequest({ urlTenant: 'clinic-7' }));
  t.deepEqual(store.created, ['clinic-7']);
});

test('a request that is only described registers nothing', async (t) => {
  const store = aStore();
  await choiceToCreate(over(store), { ...NEW, attributes: new Map([[DESCRIBED_ONLY, true]]) });
  t.deepEqual(store.created, []);
});

test('over HTTP, tenants come to be by their first write, however many at once', async (t) => {
  const server = await serve(t, { settings: { autoCreatePartitions: true } });
  t.is((await send(server, 'acme/Patient')).code, 'UNKNOWN_PARTITION');
  const tenants = Array.from({ length: 24 }, (_, index) => `tenant-${index % 6}`);
  const made = await Promise.all(
    tenants.map((tenant) => send(server, `${tenant}/Patient`, { body: PATIENT })),
  );
  t.deepEqual([...new Set(made.map(({ status }) => status))], [201]);
  for (const tenant of new Set(tenants)) t.is(idsOf(await send(server, `${tenant}/Patient`)).length, 4);
  t.is(server.bulkhead.partitions.list().length, 7);
});

test('over HTTP, an update as create and a transaction register too, and bad names do not', async (t) => {
  const server = await serve(t, { settings: { autoCreatePartitions: true } });
  const put = { method: 'PUT', body: { ...PATIENT, id: 'ann' } };
  t.is((await send(server, 'acme/Patient/ann', put)).status, 201);
  const transaction = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: PATIENT, request: { method: 'POST', url: 'Patient' } }],
  };
  t.is((await send(server, 'beta', { body: transaction })).status, 200);
  t.is((await send(server, 'beta/Patient/ann')).status, 404);
  for (const name of ['default', '_x', 'ac%20me', 'METADATA']) {
    t.is((await send(server, `${name}/Patient/ann`, put)).status, 400, name);
  }
  t.deepEqual(
    server.bulkhead.partitions.list().map(({ name }) => name),
    ['DEFAULT', 'acme', 'beta'],
  );
});
