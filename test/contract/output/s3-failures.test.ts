import { Transform } from 'node:stream';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { jobPrefix } from '../../../src/storage/output-store.js';
import type { S3OutputOptions } from '../../../src/storage/output/s3-client.js';
import { S3Output } from '../../../src/storage/output/s3-output.js';
import { collectGarbage } from '../../support/collect-garbage.js';
import { findS3Server, NO_S3, S3Server } from '../../support/s3-server.js';
import { listJobs, newJob, readFile, someBytes, writeFile } from './fixtures.js';
import { type Fault, S3Proxy } from './s3-proxy.js';

interface Context {
  readonly server: S3Server;
}

const test = anyTest as TestFn<Context>;
const IS_HERE = findS3Server() !== undefined;
const MIB = 2 ** 20;

test.before(async (t) => {
  const server = await S3Server.create();
  if (server) t.context = { server };
});

test.after.always((t) => t.context.server?.stop());

type Rule = (t: ExecutionContext<Context>, options: S3OutputOptions) => Promise<void>;

/** A rule on a bucket of its own; `alone`: while no other test runs. */
function rule(title: string, hold: Rule, run: 'beside others' | 'alone' = 'beside others'): void {
  const one = run === 'alone' ? test.serial : test;
  if (!IS_HERE) return one.skip(`${title} (${NO_S3})`, (t) => t.fail());
  one(title, async (t) => hold(t, await t.context.server.createBucket()));
}

/** A store on the bucket. */
function open(t: ExecutionContext<Context>, options: S3OutputOptions): S3Output {
  const store = new S3Output(options);
  t.teardown(() => store.close());
  return store;
}

/** A store on the bucket, whose calls may go wrong. */
async function openBehind(
  t: ExecutionContext<Context>,
  options: S3OutputOptions,
  faultOf: Parameters<typeof S3Proxy.open>[1],
): Promise<S3Output> {
  const proxy = await S3Proxy.open(t.context.server.endpoint, faultOf);
  t.teardown(() => proxy.close());
  return open(t, { ...options, endpoint: proxy.endpoint });
}

/** Turns one bit over. */
function flipping(): Transform {
  let flipped = false;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      if (!flipped && chunk.length > 0) chunk[0]! ^= 1;
      flipped = true;
      done(null, chunk);
    },
  });
}

/** Lets a few megabytes through in a second. */
function slowly(): Transform {
  return new Transform({ transform: (chunk, _, done) => setTimeout(done, 2, null, chunk) });
}

rule(
  'a server that is killed in mid-upload fails the file, and leaves what the removal of the job finds',
  async (t, options) => {
    const { server } = t.context;
    const store = open(t, options);
    const { key, partition, job } = newJob();
    const file = await store.create(key('a.ndjson'));
    await file.write(someBytes(20 * MIB));
    await server.kill();
    await t.throwsAsync(async () => {
      for (let count = 0; count < 100; count++) await file.write(someBytes(MIB));
      await file.finish();
    });
    await t.throwsAsync(file.finish(), { message: /a piece of the file is missing/ });
    await file.abort();
    await server.start();
    t.is(await store.size(key('a.ndjson')), undefined);
    t.deepEqual(await listJobs(store), [`${partition}/${job}`]);
    await store.removeJob(partition, job);
    t.deepEqual(await listJobs(store), []);
    await writeFile(store, key('a.ndjson'), someBytes(20 * MIB));
    t.is(await store.size(key('a.ndjson')), 20 * MIB);
  },
  'alone',
);

rule('what a killed writer left is found and removed by another', async (t, options) => {
  const { key, partition, job } = newJob();
  const orphan = await open(t, options).create(key('a.ndjson'));
  await orphan.write(someBytes(20 * MIB));
  const store = open(t, options);
  t.deepEqual(await listJobs(store), [`${partition}/${job}`]);
  await store.removeJob(partition, job);
  t.deepEqual(await listJobs(store), []);
  await t.throwsAsync(orphan.finish(), { message: /upload/i });
  t.is(await store.size(key('a.ndjson')), undefined);
});

rule('wrong credentials are told at the start, and are not repeated', async (t, options) => {
  const store = open(t, { ...options, credentials: { accessKeyId: 'nobody', secretAccessKey: 'hunter2' } });
  const error = await t.throwsAsync(store.check(), {
    message: /Exports cannot be written to the bucket "exports-.*" at http.*: the credentials are refused/,
  });
  t.notRegex(String(error), /hunter2|nobody/);
  await t.throwsAsync(writeFile(store, newJob().key('a.ndjson'), someBytes(10)));
  await t.throwsAsync(writeFile(store, newJob().key('a.ndjson'), someBytes(20 * MIB)));
});

rule('a bucket that is missing is told at the start', async (t, options) => {
  const store = open(t, { ...options, bucket: 'no-such-bucket' });
  await t.throwsAsync(store.check(), { message: /"no-such-bucket" at http.*: there is no such bucket/ });
  await t.throwsAsync(writeFile(store, newJob().key('a.ndjson'), someBytes(10)), { message: /bucket/ });
});

rule('a server that cannot be reached is told at the start', async (t, options) => {
  const store = open(t, { ...options, endpoint: 'http://127.0.0.1:1' });
  await t.throwsAsync(store.check(), { message: /at http:\/\/127.0.0.1:1: .*ECONNREFUSED/ });
});

rule('what the server refuses for a moment is tried again', async (t, options) => {
  const refused = new Set<string>();
  const store = await openBehind(t, options, ({ method, url = '' }) => {
    const call = `${method} ${url}`;
    if (refused.has(call)) return undefined;
    refused.add(call);
    return { kind: 'refused' };
  });
  const name = newJob().key('a.ndjson');
  const content = someBytes(17 * MIB);
  await writeFile(store, name, content);
  t.true(refused.size > 4);
  t.true(content.equals(await readFile(store, name)));
});

rule('a server that says nothing fails the file', async (t, options) => {
  const store = await openBehind(t, { ...options, silenceMs: 200 }, () => ({ kind: 'silence' }));
  await t.throwsAsync(writeFile(store, newJob().key('a.ndjson'), someBytes(10)), {
    message: /tim(ed )?e?out/i,
  });
});

rule(
  'a slow server makes the writer wait, not the memory grow',
  async (t, options) => {
    const store = await openBehind(t, options, ({ method }) =>
      method === 'PUT' ? { kind: 'request', through: slowly() } : undefined,
    );
    const chunk = someBytes(MIB);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const file = await store.create(newJob().key('a.ndjson'));
    for (let count = 0; count < 60; count++) {
      await file.write(chunk);
      collectGarbage();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await file.finish();
    t.true(most < 50 * MIB, `${Math.round(most / MIB)} MiB`);
  },
  'alone',
);

/** How calls of a kind go wrong for ever, and what is said about it. */
const DAMAGES: readonly {
  readonly title: string;
  readonly size: number;
  readonly faultOf: (method: string, url: string) => Fault;
  readonly message: RegExp;
}[] = [
  {
    title: 'a bit that turns over on the way to the server',
    size: 100,
    faultOf: (method) => (method === 'PUT' ? { kind: 'request', through: flipping() } : undefined),
    message: /./,
  },
  {
    title: 'a bit that turns over in a part',
    size: 20 * MIB,
    faultOf: (method, url) =>
      method === 'PUT' && url.includes('partNumber=2') ? { kind: 'request', through: flipping() } : undefined,
    message: /./,
  },
  {
    title: 'a server that stored something of another size',
    size: 100,
    faultOf: (method) =>
      method === 'HEAD'
        ? { kind: 'headers', change: (headers) => (headers['content-length'] = '99') }
        : undefined,
    message: /99 bytes are stored of 100/,
  },
  {
    title: 'a server that stored something else',
    size: 20 * MIB,
    faultOf: (method) =>
      method === 'HEAD'
        ? { kind: 'headers', change: (headers) => (headers['x-amz-checksum-crc32'] = 'AAAAAA==') }
        : undefined,
    message: /what is stored is not what was sent/,
  },
];

for (const { title, size, faultOf, message } of DAMAGES) {
  rule(`${title} fails the file, and nothing is left`, async (t, options) => {
    const { key } = newJob();
    const store = await openBehind(t, options, ({ method = '', url = '' }) => faultOf(method, url));
    await t.throwsAsync(writeFile(store, key('a.ndjson'), someBytes(size)), { message });
    const honest = open(t, options);
    t.is(await honest.size(key('a.ndjson')), undefined);
    t.deepEqual(await listJobs(honest), []);
  });
}

/** Of a server that tells no checksum. */
const silent: Fault = {
  kind: 'headers',
  change: (headers) => delete headers['x-amz-checksum-crc32'],
};

rule('of a server that tells no checksum the file is read back', async (t, options) => {
  const { key } = newJob();
  const calls: string[] = [];
  const store = await openBehind(t, options, ({ method = '' }) => {
    calls.push(method);
    return method === 'HEAD' ? silent : undefined;
  });
  await writeFile(store, key('a.ndjson'), someBytes(20 * MIB));
  t.is(calls.filter((method) => method === 'GET').length, 1);
  t.is(await store.size(key('a.ndjson')), 20 * MIB);
});

rule('what is read back and is not what was sent fails the file', async (t, options) => {
  const { key, partition, job } = newJob();
  const store = await openBehind(t, options, ({ method, url = '' }) => {
    if (method === 'HEAD') return silent;
    return method === 'GET' && url.includes('a.ndjson') ? { kind: 'answer', through: flipping() } : undefined;
  });
  await t.throwsAsync(writeFile(store, key('a.ndjson'), someBytes(100)));
  t.is(await store.size(key('a.ndjson')), undefined);
  t.true(key('').startsWith(jobPrefix(partition, job)));
});

/** Ends in the middle. */
function breaking(): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      this.push(chunk.subarray(0, 10));
      done(new Error('broken'));
    },
  });
}

rule('what comes back damaged or cut short is an error for its reader', async (t, options) => {
  const { key } = newJob();
  await writeFile(open(t, options), key('a.ndjson'), someBytes(100));
  for (const through of [flipping, breaking]) {
    const store = await openBehind(t, options, () => ({ kind: 'answer', through: through() }));
    await t.throwsAsync(readFile(store, key('a.ndjson')), undefined, through.name);
  }
});
