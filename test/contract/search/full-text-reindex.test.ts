import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createReindexServer, reindexed, type ReindexServer } from '../reindex/fixtures.js';
import { matchesOf, warningsOf } from '../search-parameters/fixtures.js';
import { assertError } from '../support/fhir-client.js';

const ON = { fullText: 'on' } as const;

const patient = (id: string, family: string) => ({ resourceType: 'Patient', id, name: [{ family }] });

/** Servers one after another on one database. */
async function openInTurn(t: ExecutionContext): Promise<(fullText: 'on' | 'off') => Promise<ReindexServer>> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  let last: ReindexServer | undefined;
  t.teardown(() => last?.server.stop());
  return async (fullText) => {
    await last?.server.stop();
    last = await createReindexServer({ database, settings: { fullText } });
    return last;
  };
}

async function found(client: ReindexServer['client'], word: string) {
  const answer = await client.get<Bundle>(`Patient?_content=${word}`);
  return { ids: matchesOf(answer).toSorted(), warnings: warningsOf(answer).length };
}

test('what was written while full text was off is not found until a reindex, and searches say so', async (t) => {
  const open = await openInTurn(t);
  const before = await open('off');
  await before.client.put('Patient/old', patient('old', 'Okafor'));
  await before.client.put('Patient/gone', patient('gone', 'Okafor'));
  await before.client.delete('Patient/gone');

  const { client, settle } = await open('on');
  await client.put('Patient/new', patient('new', 'Okafor'));
  t.deepEqual(await found(client, 'okafor'), { ids: ['new'], warnings: 1 });
  const guarded = await client.post('Patient', patient('x', 'x'), { 'if-none-exist': '_content=okafor' });
  assertError(t, guarded, 412, 'PRECONDITION_FAILED');
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  t.deepEqual(await found(client, 'okafor'), { ids: ['new', 'old'], warnings: 0 });
  t.like(await reindexed(client), { state: 'done', added: 0 });
});

test('what changed while full text was off is not found by the words that it had', async (t) => {
  const open = await openInTurn(t);
  const first = await open('on');
  for (const id of ['changed', 'deleted', 'kept'])
    await first.client.put(`Patient/${id}`, patient(id, 'Okafor'));
  t.deepEqual(await found(first.client, 'okafor'), { ids: ['changed', 'deleted', 'kept'], warnings: 0 });

  const off = await open('off');
  await off.client.put('Patient/changed', patient('changed', 'Smith'));
  await off.client.delete('Patient/deleted');

  const { client, settle } = await open('on');
  t.deepEqual(await found(client, 'okafor'), { ids: ['kept'], warnings: 1 });
  t.deepEqual(await found(client, 'smith'), { ids: [], warnings: 1 });
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  t.deepEqual(await found(client, 'okafor'), { ids: ['kept'], warnings: 0 });
  t.deepEqual(await found(client, 'smith'), { ids: ['changed'], warnings: 0 });
});

test('a reindex where full text is off leaves it waiting', async (t) => {
  const open = await openInTurn(t);
  const off = await open('off');
  await off.client.put('Patient/old', patient('old', 'Okafor'));
  t.like(await reindexed(off.client), { state: 'done', failed: 0 });
  const { client } = await open('on');
  t.deepEqual(await found(client, 'okafor'), { ids: [], warnings: 1 });
});

test('a new database has nothing that waits', async (t) => {
  const { server, client } = await createReindexServer({ settings: ON });
  t.teardown(() => server.stop());
  t.deepEqual(await found(client, 'okafor'), { ids: [], warnings: 0 });
});

test('two servers of one database find what either has written', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const [one, other] = [
    await createReindexServer({ database, settings: ON }),
    await createReindexServer({ database, settings: ON }),
  ];
  t.teardown(() => Promise.all([one.server.stop(), other.server.stop()]));
  await one.client.put('Patient/a', patient('a', 'Okafor'));
  t.deepEqual((await found(other.client, 'okafor')).ids, ['a']);
  await other.client.put('Patient/a', patient('a', 'Smith'));
  t.deepEqual((await found(one.client, 'okafor')).ids, []);
  t.deepEqual((await found(one.client, 'smith')).ids, ['a']);
});

test('a transaction that fails leaves no words', async (t) => {
  const { server, client } = await createReindexServer({ settings: ON });
  t.teardown(() => server.stop());
  const entry = [
    { resource: patient('a', 'Okafor'), request: { method: 'PUT', url: 'Patient/a' } },
    {
      resource: {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/none' },
      },
      request: { method: 'POST', url: 'Observation' },
    },
  ];
  const { status } = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  t.true(status >= 400);
  t.deepEqual((await found(client, 'okafor')).ids, []);
});
