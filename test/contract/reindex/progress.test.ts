import test from 'ava';
import type { PartitionId } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { countTarget } from '../../../src/partition/reindex-total.js';
import type { TypeCount } from '../../../src/storage/placement/home.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createReindexServer, reindexed } from './fixtures.js';

const ACME = 1 as PartitionId;

test('a job tells of how many resources it has looked at how many', async (t) => {
  const { server, client } = await createReindexServer({ partitions: ['acme', 'beta'] });
  t.teardown(() => server.stop());
  const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
  for (const id of ['a', 'b', 'c']) await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  await acme.put('Basic/a', { resourceType: 'Basic', id: 'a', code: { text: 'x' } });
  await beta.put('Patient/a', { resourceType: 'Patient', id: 'a' });
  await acme.send('DELETE', 'Patient/c');
  const whole = { state: 'done', percent: 100 };
  t.like(await reindexed(client), { ...whole, resources: 5, total: 5, secondsLeft: undefined });
  t.like(await reindexed(acme), { ...whole, resources: 4, total: 4 });
  t.like(await reindexed(beta, 'Basic/$reindex'), { ...whole, resources: 0, total: 0 });
});

test('a job of a tenant does not tell of types that others alone have', async (t) => {
  const { server, client } = await createReindexServer({ partitions: ['acme', 'beta'] });
  t.teardown(() => server.stop());
  const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
  await acme.put('Basic/mine', { resourceType: 'Basic', id: 'mine', code: { text: 'x' } });
  await beta.put('Patient/a', { resourceType: 'Patient', id: 'a' });
  t.is((await reindexed(acme))['reached'], 'Basic/mine');
  t.is((await reindexed(acme, 'Patient/$reindex'))['reached'], undefined);
});

test('what is counted is what the walk will look at, slice by slice', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const { server, client } = await createReindexServer({
    database,
    partitions: [{ id: ACME, name: 'acme' }, 'beta'],
  });
  t.teardown(() => server.stop());
  const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
  for (const id of ['a', 'b', 'c', 'd']) await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  for (const id of ['a', 'b', 'c'])
    await acme.put(`Basic/${id}`, { resourceType: 'Basic', id, code: { text: 'x' } });
  await beta.put('Patient/a', { resourceType: 'Patient', id: 'a' });
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  t.teardown(() => storage.close());
  const count = (
    partitions: readonly PartitionId[] | null,
    types: readonly string[] | null,
  ): Promise<number | undefined> => countTarget({ storage }, { partitions, types }, () => false);
  t.is(await count(null, null), 8);
  t.is(await count([ACME], null), 7);
  t.is(await count([ACME], ['Basic', 'Group']), 3);
  t.is(await countTarget({ storage }, { partitions: null, types: null }, () => true), undefined);
  const seen: string[] = [];
  for (let last: TypeCount | null | undefined = null; last !== undefined;) {
    const after: TypeCount | null = last;
    const counted: readonly TypeCount[] = await storage.useRows(ACME, (rows) =>
      rows.countAfter(ACME, after, 2),
    );
    seen.push(...counted.map(({ type, id, count: of }) => `${of} ${type} to ${id}`));
    last = counted.at(-1);
  }
  t.deepEqual(seen, ['2 Basic to b', '1 Basic to c', '1 Patient to a', '2 Patient to c', '1 Patient to d']);
});
