import { setTimeout as pause } from 'node:timers/promises';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { jobPrefix } from '../../../src/storage/output-store.js';
import { createS3Client, type S3OutputOptions } from '../../../src/storage/output/s3-client.js';
import { S3Objects } from '../../../src/storage/output/s3-objects.js';
import { S3Output } from '../../../src/storage/output/s3-output.js';
import { NO_S3 } from '../../support/s3-server.js';
import { listJobs, newJob, partitionId, type Place, PLACES, someBytes, writeFile } from './fixtures.js';

const test = anyTest as TestFn<{ place?: Place }>;

test.before(async (t) => {
  if (PLACES.s3.here) t.context.place = await PLACES.s3.open();
});

test.after.always((t) => t.context.place?.close());

type Rule = (
  t: ExecutionContext<{ place?: Place }>,
  store: S3Output,
  options: S3OutputOptions,
) => Promise<void>;

function rule(title: string, hold: Rule, prefix = ''): void {
  if (!PLACES.s3.here) return test.skip(`${title} (${NO_S3})`, (t) => t.fail());
  test(title, async (t) => {
    const options = await t.context.place!.options();
    if (options.kind !== 's3') return t.fail();
    const store = new S3Output({ ...options, prefix: options.prefix + prefix });
    t.teardown(() => store.close());
    await hold(t, store, options);
  });
}

rule('whoever has the URL of a file reads it, also in ranges', async (t, store) => {
  const { key } = newJob();
  await writeFile(store, key('a.ndjson'), Buffer.from('{"a":1}\n'));
  const url = await store.presign(key('a.ndjson'), 60);
  const whole = await fetch(url);
  t.is(whole.status, 200);
  t.is(whole.headers.get('content-type'), 'application/fhir+ndjson');
  t.is(await whole.text(), '{"a":1}\n');
  const part = await fetch(url, { headers: { Range: 'bytes=1-3' } });
  t.is(part.status, 206);
  t.is(await part.text(), '"a"');
});

rule('the URL of a file opens no other, and only for its time', async (t, store) => {
  const [one, other] = [newJob(), newJob()];
  for (const { key } of [one, other]) await writeFile(store, key('a.ndjson'), someBytes(5));
  const url = await store.presign(one.key('a.ndjson'), 1);
  t.is((await fetch(url.replace(one.job, other.job))).status, 403);
  t.is((await fetch(url.replace('X-Amz-Expires=1', 'X-Amz-Expires=9999'))).status, 403);
  await pause(2_100);
  t.is((await fetch(url)).status, 403);
});

rule(
  'what does not fit into one answer, or one call, is listed and removed all the same',
  async (t, store, options) => {
    const client = createS3Client(options);
    t.teardown(() => client.destroy());
    const objects = new S3Objects(client, options.bucket, 3);
    const jobs = Array.from({ length: 7 }, () => newJob(partitionId(7)));
    const keys = jobs.map(({ key }) => options.prefix + key('a.ndjson')).toSorted();
    for (const key of keys) await objects.put(key, someBytes(1));
    const segments: string[] = [];
    for await (const segment of objects.segments(`${options.prefix}p7/exports/`)) segments.push(segment);
    t.deepEqual(segments, jobs.map(({ job }) => job).toSorted());
    const pages: (readonly string[])[] = [];
    for await (const page of objects.keys(options.prefix)) pages.push(page);
    t.deepEqual(pages, [keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
    await objects.remove([...keys, `${options.prefix}never-there`]);
    t.deepEqual(await listJobs(store), []);
  },
);

rule(
  'keys stand below the prefix, and what is beside it is let be',
  async (t, store) => {
    const { key, partition, job } = newJob();
    await writeFile(store, key('a.ndjson'), someBytes(5));
    t.regex(
      await store.presign(key('a.ndjson'), 60),
      new RegExp(`/fhir/prod/${jobPrefix(partition, job)}a\\.ndjson\\?`),
    );
    t.deepEqual(await listJobs(store), [`${partition}/${job}`]);
    await store.check();
    await store.removeJob(partition, job);
    t.deepEqual(await listJobs(store), []);
  },
  'fhir/prod/',
);
