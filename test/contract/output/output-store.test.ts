import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { OutputStore } from '../../../src/storage/output-store.js';
import { openOutput } from '../../../src/storage/output/open-output.js';
import { collect } from '../../support/collect.js';
import { NO_S3 } from '../../support/s3-server.js';
import {
  listJobs,
  newJob,
  partitionId,
  type Place,
  PLACES,
  readFile,
  someBytes,
  writeFile,
} from './fixtures.js';

type Places = Partial<Record<OutputStore['kind'], Place>>;

const test = anyTest as TestFn<Places>;
const KINDS = ['local', 's3'] as const;
const MIB = 2 ** 20;

test.before(async (t) => {
  for (const kind of KINDS) if (PLACES[kind].here) t.context[kind] = await PLACES[kind].open();
});

test.after.always((t) => {
  for (const kind of KINDS) t.context[kind]?.close();
});

type Rule = (t: ExecutionContext<Places>, store: OutputStore) => Promise<void>;

for (const kind of KINDS) {
  /** A rule that must hold on a store, which is opened for it; `alone`: while no other test runs. */
  const rule = (title: string, hold: Rule, run: 'beside others' | 'alone' = 'beside others'): void => {
    const one = run === 'alone' ? test.serial : test;
    if (!PLACES[kind].here) return one.skip(`${kind}: ${title} (${NO_S3})`, (t) => t.fail());
    one(`${kind}: ${title}`, async (t) => {
      const store = await openOutput(await t.context[kind]!.options());
      t.teardown(() => store.close());
      await hold(t, store);
    });
  };

  rule('what was written is read, whole and in ranges', async (t, store) => {
    const { key } = newJob();
    await writeFile(
      store,
      key('1-output-Patient-1.ndjson'),
      Buffer.from('{"a":1}\n'),
      Buffer.from('{"b":2}\n'),
    );
    const name = key('1-output-Patient-1.ndjson');
    t.is(await store.size(name), 16);
    t.is(String(await readFile(store, name)), '{"a":1}\n{"b":2}\n');
    t.is(String(await readFile(store, name, { start: 0, end: 0 })), '{');
    t.is(String(await readFile(store, name, { start: 8, end: 14 })), '{"b":2}');
    t.is(String(await readFile(store, name, { start: 8, end: 15 })), '{"b":2}\n');
  });

  rule('an empty file is a file', async (t, store) => {
    const name = newJob().key('empty.ndjson');
    await writeFile(store, name);
    t.is(await store.size(name), 0);
    t.is((await readFile(store, name)).length, 0);
  });

  rule('a file of many parts and odd pieces is the same byte for byte', async (t, store) => {
    const name = newJob().key('large.ndjson');
    const content = someBytes(20 * MIB + 17);
    const ends = [0, 1, 8 * MIB, 16 * MIB, 16 * MIB + 3, content.length];
    const pieces = ends.slice(1).map((end, index) => content.subarray(ends[index], end));
    await writeFile(store, name, ...pieces);
    t.is(await store.size(name), content.length);
    t.true(content.equals(await readFile(store, name)));
    const range = { start: 8 * MIB - 5, end: 16 * MIB + 4 };
    t.true(content.subarray(range.start, range.end + 1).equals(await readFile(store, name, range)));
  });

  rule('a file is not there before it is finished', async (t, store) => {
    const name = newJob().key('open.ndjson');
    const file = await store.create(name);
    await file.write(someBytes(100));
    t.is(await store.size(name), undefined);
    await t.throwsAsync(readFile(store, name));
    await file.finish();
    t.is(await store.size(name), 100);
  });

  rule('a file that is given up leaves nothing, small or large', async (t, store) => {
    for (const size of [0, 100, 20 * MIB]) {
      const { key, partition, job } = newJob();
      const file = await store.create(key('given-up.ndjson'));
      await file.write(someBytes(size));
      await file.abort();
      await file.abort();
      t.is(await store.size(key('given-up.ndjson')), undefined);
      await t.throwsAsync(file.write(someBytes(1)), { message: /has ended/ });
      await t.throwsAsync(file.finish(), { message: /has ended/ });
      await store.removeJob(partition, job);
      t.deepEqual(await listJobs(store), []);
    }
  });

  rule('giving up what is finished changes nothing', async (t, store) => {
    const name = newJob().key('kept.ndjson');
    const file = await store.create(name);
    await file.write(someBytes(9));
    await file.finish();
    await file.abort();
    t.is(await store.size(name), 9);
    await t.throwsAsync(file.write(someBytes(1)), { message: /has ended/ });
  });

  rule('a file is written by one call at a time', async (t, store) => {
    const file = await store.create(newJob().key('one.ndjson'));
    const first = file.write(someBytes(1000));
    await t.throwsAsync(file.write(someBytes(1)), { message: /has not ended/ });
    await t.throwsAsync(file.finish(), { message: /has not ended/ });
    await first;
    await file.abort();
  });

  rule('the jobs are those that have files, finished or not', async (t, store) => {
    t.deepEqual(await listJobs(store), []);
    const [one, other, negative] = [newJob(), newJob(partitionId(11)), newJob(partitionId(-2))];
    await writeFile(store, one.key('a.ndjson'), someBytes(1));
    await writeFile(store, one.key('b.ndjson'), someBytes(1));
    await writeFile(store, negative.key('a.ndjson'), someBytes(1));
    const unfinished = await store.create(other.key('c.ndjson'));
    await unfinished.write(someBytes(9 * MIB));
    const all = [one, other, negative].map(({ partition, job }) => `${partition}/${job}`);
    t.deepEqual(await listJobs(store), all.toSorted());
    await unfinished.abort();
  });

  rule('files are listed by their keys, once they are finished, and removed one by one', async (t, store) => {
    const { partition, job, key } = newJob();
    const neighbour = newJob();
    t.deepEqual(await collect(store.keys(partition, job)), []);
    for (const name of ['a.ndjson', 'b.ndjson']) await writeFile(store, key(name), someBytes(5));
    await writeFile(store, neighbour.key('a.ndjson'), someBytes(5));
    const unfinished = await store.create(key('c.ndjson'));
    await unfinished.write(someBytes(9 * MIB));
    t.deepEqual((await collect(store.keys(partition, job))).toSorted(), [key('a.ndjson'), key('b.ndjson')]);
    await store.remove(key('a.ndjson'));
    await store.remove(key('a.ndjson'));
    await store.remove(key('c.ndjson'));
    await unfinished.finish();
    t.deepEqual((await collect(store.keys(partition, job))).toSorted(), [key('b.ndjson'), key('c.ndjson')]);
    t.is(await store.size(neighbour.key('a.ndjson')), 5);
  });

  rule('removing a job takes its files and those of no other', async (t, store) => {
    const [one, neighbour, elsewhere] = [newJob(), newJob(), newJob(partitionId(11))];
    for (const { key } of [one, neighbour, elsewhere]) await writeFile(store, key('a.ndjson'), someBytes(5));
    await store.removeJob(one.partition, one.job);
    await store.removeJob(one.partition, one.job);
    t.is(await store.size(one.key('a.ndjson')), undefined);
    t.is(await store.size(neighbour.key('a.ndjson')), 5);
    t.is(await store.size(elsewhere.key('a.ndjson')), 5);
  });

  rule('removing a job takes what was never finished', async (t, store) => {
    const { key, partition, job } = newJob();
    const file = await store.create(key('unfinished.ndjson'));
    await file.write(someBytes(20 * MIB));
    await store.removeJob(partition, job);
    t.deepEqual(await listJobs(store), []);
    await t.throwsAsync(file.finish());
    t.is(await store.size(key('unfinished.ndjson')), undefined);
  });

  rule('removing a partition takes all its jobs and nothing of others', async (t, store) => {
    const gone = [newJob(), newJob()];
    const kept = newJob(partitionId(11));
    for (const { key } of [...gone, kept]) await writeFile(store, key('a.ndjson'), someBytes(5));
    await store.removePartition(partitionId(1));
    await store.removePartition(partitionId(1));
    t.deepEqual(await listJobs(store), [`11/${kept.job}`]);
    t.is(await store.size(kept.key('a.ndjson')), 5);
  });

  rule('no key leads out of the folder of one job', async (t, store) => {
    const { job } = newJob();
    const wrong = [
      '',
      'a',
      '/etc/passwd',
      `p1/exports/${job}/../../../../x`,
      `p1/exports/${job}/..`,
      `p1/exports/${job}/.hidden`,
      `p1/exports/${job}/a/b`,
      `p1/exports/${job}/`,
      `p1/exports/../${job}/a`,
      `p1/other/${job}/a`,
      `p1/exports/${job}/a\0b`,
      `p1/exports/${job}/a\nb`,
      `p1/exports/${job}/a\\b`,
      `../p1/exports/${job}/a`,
      `p1/exports/${job}/%2e%2e`,
      `pX/exports/${job}/a`,
    ];
    for (const key of wrong) {
      await t.throwsAsync(store.create(key), { message: /is no key/ }, key);
      await t.throwsAsync(store.read(key), { message: /is no key/ }, key);
      await t.throwsAsync(store.size(key), { message: /is no key/ }, key);
      await t.throwsAsync(store.remove(key), { message: /is no key/ }, key);
    }
    for (const id of ['', '..', '.', 'a/b', `${job}/..`, '*']) {
      await t.throwsAsync(store.removeJob(partitionId(1), id), { message: /is no prefix/ }, id);
      await t.throwsAsync(collect(store.keys(partitionId(1), id)), { message: /is no prefix/ }, id);
    }
    t.deepEqual(await listJobs(store), []);
  });

  rule(
    'a large file takes no more memory than a few of its parts',
    async (t, store) => {
      const name = newJob().key('huge.ndjson');
      const chunk = someBytes(MIB);
      global.gc?.();
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const file = await store.create(name);
      for (let count = 0; count < 200; count++) {
        await file.write(chunk);
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }
      await file.finish();
      t.is(await store.size(name), 200 * MIB);
      t.true(most < 140 * MIB, `${Math.round(most / MIB)} MiB`);
    },
    'alone',
  );

  rule('a store that can be written to says so, and is left as it was', async (t, store) => {
    await store.check();
    t.deepEqual(await listJobs(store), []);
  });
}
