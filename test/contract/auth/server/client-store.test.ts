import test, { type ExecutionContext } from 'ava';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../../src/model/partition.js';
import { openStorage } from '../../../../src/storage/open-storage.js';
import { toStorageOptions } from '../../../../src/storage-options.js';
import { createTestDatabase } from '../../../support/test-database.js';
import { createTestServer } from '../../../support/test-server.js';

const NEW = { name: 'n', scopes: 'system/*.rs', tenants: null, jwks: '{}', jwksUrl: null, created: 7 };

/** A server with two partitions, and two storages on its database, as two servers have. */
async function openStores(t: ExecutionContext) {
  const database = await createTestDatabase();
  const server = await createTestServer({ database, partitions: ['acme', 'beta'] });
  const storages = [server, server].map(({ bulkhead }) =>
    openStorage(toStorageOptions(bulkhead.settings, Date.now)),
  );
  const [one, two] = await Promise.all(storages);
  t.teardown(async () => {
    await Promise.all([one?.close(), two?.close()]);
    await server.stop();
    await database.drop();
  });
  const { partitions } = server.bulkhead;
  const [acme, beta] = ['acme', 'beta'].map((name) => partitions.read({ name }).id);
  if (!one || !two || acme === undefined || beta === undefined) throw new Error('The server is incomplete.');
  const registry = server.bulkhead.parts.partitions;
  return { database, partitions, registry, one: one.clients, two: two.clients, acme, beta };
}

test('a client is found in its partition, and in no other', async (t) => {
  const { one, two, acme, beta } = await openStores(t);
  t.true(await one.add({ ...NEW, partition: acme, id: 'a' }));
  t.false(await two.add({ ...NEW, partition: acme, id: 'a', name: 'other' }));
  t.deepEqual(await two.find({ partition: acme, id: 'a' }), {
    ...NEW,
    partition: acme,
    id: 'a',
    disabled: false,
  });
  for (const partition of [beta, DEFAULT_PARTITION_ID]) {
    t.is(await one.find({ partition, id: 'a' }), undefined);
    t.deepEqual(await one.list(partition), []);
    t.false(await one.setDisabled({ partition, id: 'a' }, 'disabled'));
    t.false(await one.remove({ partition, id: 'a' }));
    t.false(await one.useAssertion({ partition, id: 'a' }, { hash: 'h', expires: 100 }, 0));
  }
  t.true(await one.add({ ...NEW, partition: acme, id: 'A' }));
  t.deepEqual(
    (await one.list(acme)).map(({ id }) => id),
    ['A', 'a'],
  );
});

test('of all who use an assertion at the same time one may', async (t) => {
  const { one, two, acme } = await openStores(t);
  const key = { partition: acme, id: 'a' };
  await one.add({ ...NEW, ...key });
  const used = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      (index % 2 ? one : two).useAssertion(key, { hash: 'h', expires: 100 }, 0),
    ),
  );
  t.is(used.filter(Boolean).length, 1);
  t.true(await two.useAssertion(key, { hash: 'other', expires: 100 }, 0));
  t.false(await one.useAssertion(key, { hash: 'other', expires: 100 }, 99));
});

test('a client that is disabled or removed uses nothing', async (t) => {
  const { one, two, acme } = await openStores(t);
  const key = { partition: acme, id: 'a' };
  await one.add({ ...NEW, ...key });
  t.true(await two.setDisabled(key, 'disabled'));
  t.is((await one.find(key))?.disabled, true);
  t.false(await one.useAssertion(key, { hash: 'h', expires: 100 }, 0));
  t.true(await two.setDisabled(key, 'enabled'));
  t.true(await one.useAssertion(key, { hash: 'h', expires: 100 }, 0));
  t.true(await one.remove(key));
  t.false(await two.remove(key));
  t.false(await two.useAssertion(key, { hash: 'g', expires: 100 }, 0));
});

test('clients end with their partition, purged or deleted, and hold up neither', async (t) => {
  const { database, partitions, registry, one, acme, beta } = await openStores(t);
  for (const partition of [acme, beta]) {
    const key = { partition, id: 'a' };
    await one.add({ ...NEW, ...key });
    await one.useAssertion(key, { hash: 'h', expires: Date.now() + 1e6 }, 0);
  }
  await partitions.delete(acme);
  const rows = async (): Promise<readonly unknown[]> => [
    ...(await database.rows('select PARTITION_ID from HFJ_AUTH_CLIENT')),
    ...(await database.rows('select PARTITION_ID from HFJ_AUTH_JTI')),
  ];
  t.deepEqual(await rows(), [[beta], [beta]]);
  await partitions.startPurge(beta);
  while ((await registry.jobs()).some(({ state }) => state === 'running'))
    await new Promise((done) => setTimeout(done, 50));
  t.deepEqual(await rows(), []);
  await t.throwsAsync(one.add({ ...NEW, partition: beta, id: 'late' }), { message: /deleted/ });
  await t.throwsAsync(one.add({ ...NEW, partition: 77 as PartitionId, id: 'late' }), { message: /deleted/ });
});
