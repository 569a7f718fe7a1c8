import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { PartitionId } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import type {
  ExportClaim,
  ExportFile,
  ExportJobStore,
  MatchList,
  NewExportJob,
} from '../../../src/storage/export-store.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { type ExportWorld, openExportWorld, scopeOf } from './storage-fixtures.js';

const LEASE_MS = 60_000;
const MOST = 5;

let made = 0;

function newJob(partition: PartitionId, fields: Partial<NewExportJob> = {}): NewExportJob {
  const id = `job-${++made}`;
  return { id, partition, owner: 'client', request: '{"type":"Patient"}', created: made, ...fields };
}

async function create(jobs: ExportJobStore, partition: PartitionId): Promise<NewExportJob> {
  const job = newJob(partition);
  await jobs.create(job, 100);
  return job;
}

async function claimOne(jobs: ExportJobStore, leaseMs = LEASE_MS): Promise<ExportClaim> {
  const claim = await jobs.claim('worker', leaseMs);
  if (claim === undefined) throw new Error('There is nothing to claim.');
  return claim;
}

/** As another server has it. */
async function reopened({ server }: ExportWorld): Promise<ExportJobStore & { close(): Promise<void> }> {
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  return Object.assign(Object.create(storage.exports) as ExportJobStore, { close: () => storage.close() });
}

function listOf(list: string, ...rowIds: readonly number[]): readonly MatchList[] {
  return [{ list, rowIds }];
}

const file = (part: number, fields: Partial<ExportFile> = {}): ExportFile => {
  return {
    kind: 'output',
    type: 'Patient',
    part,
    key: `key-${part}`,
    bytes: 5_000_000_000,
    count: 7,
    ...fields,
  };
};

test('a job is found in its own partition, by every server, as it was made', async (t) => {
  const world = await openExportWorld(t);
  const { acme, beta } = world.ids;
  const job = newJob(acme, { owner: null });
  t.true(await world.storage.exports.create(job, MOST));
  const other = await reopened(world);
  t.teardown(() => other.close());
  for (const jobs of [world.storage.exports, other]) {
    t.deepEqual(await jobs.find(scopeOf(beta, acme), job.id), {
      ...job,
      state: 'waiting',
      at: null,
      progress: null,
      error: null,
      attempts: 0,
      ended: null,
    });
    t.is(await jobs.find(scopeOf(beta), job.id), undefined);
    t.deepEqual(await jobs.ids(acme), new Set([job.id]));
    t.deepEqual(await jobs.ids(beta), new Set());
  }
});

test('of twenty that are asked for at once as many are made as may be', async (t) => {
  const world = await openExportWorld(t);
  const other = await reopened(world);
  t.teardown(() => other.close());
  const { acme, beta } = world.ids;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? world.storage.exports : other).create(newJob(acme), MOST),
    ),
  );
  t.is(answers.filter(Boolean).length, MOST);
  t.is((await other.ids(acme)).size, MOST);
  t.true(await other.create(newJob(beta), MOST), 'nobody takes a place of another partition');
  t.true(await other.cancel(scopeOf(acme), [...(await other.ids(acme))][0] ?? ''));
  t.true(await other.create(newJob(acme), MOST), 'what has ended takes none');
});

test('nothing is made in a partition that is not in service', async (t) => {
  const { storage } = await openExportWorld(t);
  const gone = await t.throwsAsync(storage.exports.create(newJob(99 as PartitionId), MOST));
  t.is((gone as { readonly code?: string }).code, 'UNKNOWN_PARTITION');
});

test('many claimers on two servers get every job once', async (t) => {
  const world = await openExportWorld(t);
  const other = await reopened(world);
  t.teardown(() => other.close());
  const { acme, beta } = world.ids;
  for (let index = 0; index < 6; index++) {
    await create(world.storage.exports, acme);
    await create(world.storage.exports, beta);
  }
  const claimed: string[] = [];
  const work = async (jobs: ExportJobStore, owner: string): Promise<void> => {
    for (let misses = 0; misses < 3;) {
      const claim = await jobs.claim(owner, LEASE_MS);
      if (claim) claimed.push(claim.job.id);
      else misses++;
    }
  };
  await Promise.all(
    [0, 1, 2, 3].flatMap((n) => [work(world.storage.exports, `here ${n}`), work(other, `there ${n}`)]),
  );
  t.is(claimed.length, 12);
  t.is(new Set(claimed).size, 12);
});

test('partitions take turns, and in one of them the jobs do', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  const [first, second, third] = [
    await create(jobs, ids.acme),
    await create(jobs, ids.acme),
    await create(jobs, ids.acme),
  ];
  const foreign = await create(jobs, ids.beta);
  const claims = [await claimOne(jobs), await claimOne(jobs)];
  t.deepEqual(
    claims.map(({ job }) => job.id),
    [first.id, foreign.id],
  );
  for (const claim of claims) t.true(await jobs.release(claim, 0, 'taken back'));
  const order: string[] = [];
  for (let turn = 0; turn < 4; turn++) {
    const claim = await claimOne(jobs);
    order.push(claim.job.id);
    await pause(2);
    await jobs.release(claim, 0, 'taken back');
    await pause(2);
  }
  t.deepEqual(order, [second.id, third.id, first.id, foreign.id]);
});

test('whoever has lost a claim changes nothing', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  const scope = scopeOf(ids.acme);
  const { id } = await create(jobs, ids.acme);
  const stale = await claimOne(jobs, 1);
  t.is(stale.job.attempts, 1);
  await pause(20);
  const claim = await claimOne(jobs);
  t.is(claim.job.attempts, 2);
  const before = await jobs.find(scope, id);
  const outcome = { state: 'complete', files: [file(1)], progress: 'stale' } as const;
  t.deepEqual(
    [
      await jobs.renew(stale, LEASE_MS),
      await jobs.saveFrozen(stale, 1, 'stale'),
      await jobs.clearMatches(stale),
      await jobs.addMatches(stale, listOf('Patient', 1)),
      await jobs.saveProgress(stale, [file(1)], 'stale'),
      await jobs.release(stale, 0, 'kept'),
      await jobs.end(stale, outcome),
      await jobs.end(stale, { state: 'failed', error: 'stale' }),
    ],
    Array.from({ length: 8 }, () => false),
  );
  t.deepEqual(await jobs.find(scope, id), before);
  t.deepEqual([await jobs.files(scope, id), await jobs.countMatches(claim, 'Patient')], [[], 0]);
  t.true(await jobs.renew(claim, LEASE_MS));
  t.is(await jobs.claim('other', LEASE_MS), undefined, 'a lease that was renewed holds');
  t.false(await jobs.cancel(scopeOf(ids.beta), id));
  t.true(await jobs.cancel(scope, id));
  t.false(await jobs.renew(claim, LEASE_MS), 'who is cancelled has lost it too');
  t.false(await jobs.end(claim, outcome));
  t.false(await jobs.cancel(scope, id));
  t.is((await jobs.find(scope, id))?.state, 'cancelled');
});

test('progress comes with its files, and attempts count what came to nothing', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  const scope = scopeOf(ids.acme);
  t.false(await jobs.hasDue(), 'there is none');
  const { id } = await create(jobs, ids.acme);
  for (const attempts of [1, 2]) {
    t.true(await jobs.hasDue(), 'it waits');
    const claim = await claimOne(jobs);
    t.false(await jobs.hasDue(), 'somebody has it');
    t.is(claim.job.attempts, attempts);
    t.true(await jobs.release(claim, 0, 'kept'));
  }
  const third = await claimOne(jobs);
  t.true(await jobs.release(third, Date.now() + LEASE_MS, 'taken back'));
  t.is(await jobs.claim('worker', LEASE_MS), undefined, 'it is not due');
  t.false(await jobs.hasDue(), 'nor is any other');
  t.is((await jobs.find(scope, id))?.attempts, 2);
  const other = await create(jobs, ids.acme);
  const claim = await claimOne(jobs);
  t.is(claim.job.id, other.id);
  t.true(await jobs.saveFrozen(claim, 1234, 'frozen'));
  t.true(await jobs.saveProgress(claim, [file(1), file(2)], 'two parts'));
  t.deepEqual(
    [await jobs.find(scope, other.id)].map((job) => [job?.state, job?.at, job?.progress, job?.attempts]),
    [['running', 1234, 'two parts', 1]],
  );
  const last = [file(1, { kind: 'error', type: 'OperationOutcome' })];
  t.true(await jobs.end(claim, { state: 'complete', files: last, progress: 'all' }));
  const ended = await jobs.find(scope, other.id);
  t.deepEqual([ended?.state, ended?.progress], ['complete', 'all']);
  t.true(Number.isSafeInteger(ended?.ended));
  t.deepEqual(await jobs.files(scope, other.id), [...last, file(1), file(2)]);
  t.deepEqual(await jobs.files(scopeOf(ids.beta), other.id), []);
});

test('lists hold each resource once, in order, and begin anew when they are cleared', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  await create(jobs, ids.acme);
  const claim = await claimOne(jobs);
  t.true(await jobs.addMatches(claim, listOf('Patient', 5, 3, 2 ** 40)));
  t.true(await jobs.addMatches(claim, [...listOf('Patient', 3, 4), ...listOf('Observation', 9)]));
  t.deepEqual(await jobs.matches(claim, 'Patient', 0, 3), [3, 4, 5]);
  t.deepEqual(await jobs.matches(claim, 'Patient', 5, 3), [2 ** 40]);
  t.deepEqual(await jobs.matches(claim, 'Observation', 0, 3), [9]);
  t.is(await jobs.countMatches(claim, 'Patient'), 4);
  t.true(await jobs.clearMatches(claim));
  t.is(await jobs.countMatches(claim, 'Patient'), 0);
});

test('many lists of very different lengths are added to at once', async (t) => {
  const { storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  await create(jobs, ids.acme);
  const claim = await claimOne(jobs);
  const lengths = [1, 2_500, 0, 3, 997, 1_000, 2];
  const lists = lengths.map((length, at) => ({
    list: `list ${at}`,
    rowIds: Array.from({ length }, (_, index) => 1_000 - index),
  }));
  t.true(await jobs.addMatches(claim, lists));
  for (const { list, rowIds } of lists)
    t.deepEqual(await jobs.matches(claim, list, -10_000, 10_000), rowIds.toReversed(), list);
});

test('a job is removed with all that it has, once it has ended', async (t) => {
  const { database, storage, ids } = await openExportWorld(t);
  const jobs = storage.exports;
  const failed = await create(jobs, ids.acme);
  const claim = await claimOne(jobs);
  await jobs.addMatches(claim, listOf('Patient', ...Array.from({ length: 11_000 }, (_, index) => index + 1)));
  await jobs.saveProgress(claim, [file(1)], 'one part');
  await jobs.remove(failed);
  t.deepEqual(await jobs.ids(ids.acme), new Set([failed.id]), 'somebody works on it');
  t.true(await jobs.end(claim, { state: 'failed', error: 'in words' }));
  t.is((await jobs.find(scopeOf(ids.acme), failed.id))?.error, 'in words');
  const cancelled = await create(jobs, ids.beta);
  await jobs.cancelAll(ids.beta);
  t.deepEqual(
    (await jobs.removable(0, 10)).map(({ id }) => id),
    [cancelled.id],
  );
  const both = await jobs.removable(Date.now() + LEASE_MS, 10);
  t.deepEqual(
    both.map(({ id, partition }) => [id, partition]),
    [
      [failed.id, ids.acme],
      [cancelled.id, ids.beta],
    ],
  );
  for (const job of both) await jobs.remove(job);
  for (const table of ['JOB', 'COLFILE', 'MATCH'])
    t.deepEqual(await database.rows(`select * from HFJ_BLK_EXPORT_${table}`), [], table);
});
