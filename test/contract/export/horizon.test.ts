import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { NO_INDEX_VALUES } from '../../../src/fhir/index-values.js';
import type { PartitionId } from '../../../src/model/partition.js';
import type { Storage } from '../../../src/storage/storage.js';
import { WriteConflictError } from '../../../src/storage/store.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { OWN_PLACEMENTS } from '../placement/fixtures.js';
import { openExportWorld, scopeOf, versionsOf, walkAll } from './storage-fixtures.js';

/** Waits for what comes soon. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600 && !(await isSo()); tries++) await pause(50);
}

const patient = (id: string) => ({ resourceType: 'Patient', id });

function freeze(storage: Storage, partition: PartitionId): Promise<number> {
  return storage.useExports(partition, (exports) => exports.freeze(partition, async ({ at }) => at));
}

/** What the storage says of a write that is dated so. */
async function conflictAt(storage: Storage, partition: PartitionId, updated: number): Promise<unknown> {
  const id = `at-${updated}`;
  const text = JSON.stringify({ resourceType: 'Patient', id });
  const index = NO_INDEX_VALUES;
  const assignment = { partition, date: null } as never;
  const create = { kind: 'create', assignment, type: 'Patient', id, updated, text, index, references: [] };
  try {
    await storage.resources.write({ changes: [create as never] });
    return undefined;
  } catch (error) {
    return error instanceof WriteConflictError ? error.conflict : error;
  }
}

test('once the past is fixed no write is dated into it, and the writer is told how far it goes', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const at = await freeze(storage, ids.acme);
  t.like(await conflictAt(storage, ids.acme, at - 1000), { kind: 'late', horizon: at });
  t.like(await conflictAt(storage, ids.acme, at), { kind: 'late', horizon: at });
  t.is(await conflictAt(storage, ids.acme, at + 1), undefined);
  t.is(
    await conflictAt(storage, ids.beta, at - 1000),
    undefined,
    'other partitions have a past of their own',
  );
  t.true((await freeze(storage, ids.acme)) > at, 'what was written belongs to the next past');
});

test('a server whose clock is behind dates its writes after what another one has exported', async (t) => {
  const { database, storage, ids } = await openExportWorld(t);
  const behind = await createTestServer({ database, clock: () => Date.now() - 5_000 });
  t.teardown(() => behind.stop());
  const client = new FhirClient(behind.url).tenant('acme');
  t.is((await client.put('Patient/before', patient('before'))).status, 201);
  const at = await freeze(storage, ids.acme);
  t.is((await client.put('Patient/after', patient('after'))).status, 201);
  t.is((await client.put('Patient/before', { ...patient('before'), active: true })).status, 200);
  const bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: patient('x'), request: { method: 'POST', url: 'Patient' } }],
  };
  t.is((await client.post('', bundle)).status, 200);
  await storage.useExports(ids.acme, async (exports) => {
    const { entries } = await walkAll(exports, ids.acme, { type: 'Patient', until: at });
    t.deepEqual(versionsOf(entries), ['before/1']);
    const later = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    const since = await walkAll(exports, ids.acme, { type: 'Patient', since: at, until: later });
    t.is(since.entries.length, 3);
    t.true(since.entries.every(({ updated }) => updated > at));
  });
});

test('what a clock that is ahead has dated is part of the present', async (t) => {
  const { database, storage, ids } = await openExportWorld(t);
  const ahead = await createTestServer({ database, clock: () => Date.now() + 5_000 });
  t.teardown(() => ahead.stop());
  const client = new FhirClient(ahead.url).tenant('acme');
  t.is((await client.put('Patient/early', patient('early'))).status, 201);
  await storage.useExports(ids.acme, async (exports) => {
    const at = await exports.freeze(ids.acme, async (snapshot) => snapshot.at);
    t.true(at > Date.now());
    const { entries } = await walkAll(exports, ids.acme, { type: 'Patient', until: at });
    t.deepEqual(versionsOf(entries), ['early/1']);
  });
});

test('official search parameters come to DEFAULT after it was exported', async (t) => {
  const { storage, root } = await openExportWorld(t);
  const at = await freeze(storage, 0 as PartitionId);
  t.is((await root.get('SearchParameter/individual-gender')).status, 200);
  const [stored] = await storage.resources.read(
    scopeOf(0 as PartitionId),
    'SearchParameter',
    'individual-gender',
  );
  t.is(stored?.updated, at + 1);
  t.true(stored?.text?.includes(new Date(at + 1).toISOString()));
});

for (const placement of OWN_PLACEMENTS) {
  test(`${placement}: a partition that moves takes its horizon along`, async (t) => {
    const { storage, server, ids } = await openExportWorld(t, { settings: { placement: 'shared' } });
    const at = await freeze(storage, ids.acme);
    const { id } = await server.bulkhead.partitions.startMove(ids.acme, placement);
    await until(async () => (await storage.partitions.jobs()).find((job) => job.id === id)?.state === 'done');
    await storage.refresh();
    t.is(await storage.useRows(ids.acme, (rows) => rows.horizon(ids.acme)), at);
    t.like(await conflictAt(storage, ids.acme, at), { kind: 'late', horizon: at });
    t.true((await freeze(storage, ids.acme)) > at);
  });
}

test('with a partition its exports and its horizon go', async (t) => {
  const { database, server, storage, acme, ids } = await openExportWorld(t);
  const left = async (): Promise<readonly unknown[]> => [
    ...(await database.rows(`select 'horizon' from HFJ_PARTITION_HORIZON`)),
    ...(await database.rows(`select 'job' from HFJ_BLK_EXPORT_JOB`)),
    ...(await database.rows(`select 'file' from HFJ_BLK_EXPORT_COLFILE`)),
    ...(await database.rows(`select 'match' from HFJ_BLK_EXPORT_MATCH`)),
  ];
  t.is((await acme.put('Patient/a', patient('a'))).status, 201);
  for (const partition of [ids.acme, ids.beta]) {
    await freeze(storage, partition);
    const job = { id: `of-${partition}`, partition, owner: null, request: '{}', created: 1 };
    await storage.exports.create(job, 1);
    const claim = await storage.exports.claim('worker', 60_000);
    t.is(claim?.job.id, job.id);
    if (!claim) return;
    await storage.exports.addMatches(claim, [{ list: 'Patient', rowIds: [1, 2] }]);
    const file = { kind: 'output', type: 'Patient', part: 1, key: 'k', bytes: 1, count: 1 } as const;
    await storage.exports.saveProgress(claim, [file], 'some');
  }
  t.true((await left()).length >= 8);
  await server.bulkhead.partitions.delete(ids.beta);
  const { id } = await server.bulkhead.partitions.startPurge(ids.acme);
  await until(async () => (await storage.partitions.jobs()).find((job) => job.id === id)?.state === 'done');
  t.deepEqual(await left(), []);
});
