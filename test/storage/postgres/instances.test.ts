import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { defineInterceptor } from '../../../src/hooks/interceptor.js';
import { linkOf } from '../../contract/isolation/fixtures.js';
import { FhirClient, uniqueValue } from '../../contract/support/fhir-client.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { connectTo } from './fixtures.js';

/** Two servers that know of each other only through their database. */
interface Pair {
  readonly database: TestDatabase;
  readonly servers: readonly [TestServer, TestServer];
  readonly clients: readonly [FhirClient, FhirClient];
}

async function openPair(t: ExecutionContext, options: StoreTestOptions = {}): Promise<Pair> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const open = async (): Promise<TestServer> => {
    const server = await createTestServer({ database, ...options });
    t.teardown(() => server.stop());
    return server;
  };
  const servers = [await open(), await open()] as const;
  const clients = [new FhirClient(servers[0].url), new FhirClient(servers[1].url)] as const;
  return { database, servers, clients };
}

/** What happens on one server is known to the other within this time. */
const COHERENT_MS = 1_000;
/** On a busy machine one attempt may be late, but not every one is. */
const ATTEMPTS = 3;
const PATIENCE_MS = 10_000;

/** Milliseconds of the first attempt that was quick enough, or of the last. */
async function quickest(attempt: (name: string) => Promise<number>): Promise<number> {
  for (let number = 1; ; number++) {
    const ms = await attempt(`acme-${number}`);
    if (ms < COHERENT_MS || number === ATTEMPTS) return ms;
  }
}

/** Milliseconds until a search answers so. */
async function untilAnswered(client: FhirClient, status: number): Promise<number> {
  const begin = Date.now();
  while ((await client.get('Patient')).status !== status && Date.now() - begin < PATIENCE_MS) await pause(10);
  return Date.now() - begin;
}

test('a partition that is made on one server is served by the other within a second', async (t) => {
  const { servers, clients } = await openPair(t);
  const late = await quickest(async (name) => {
    await servers[0].bulkhead.partitions.create({ name });
    return untilAnswered(clients[1].tenant(name), 200);
  });
  t.true(late < COHERENT_MS, `${late} ms`);
});

test('a partition that is deleted on one server is gone from the other within a second', async (t) => {
  const { servers, clients } = await openPair(t);
  const late = await quickest(async (name) => {
    const { id } = await servers[0].bulkhead.partitions.create({ name });
    await untilAnswered(clients[1].tenant(name), 200);
    await servers[0].bulkhead.partitions.delete(id);
    return untilAnswered(clients[1].tenant(name), 404);
  });
  t.true(late < COHERENT_MS, `${late} ms`);
});

test('it is so too where nothing is heard of notifications', async (t) => {
  const { database, servers, clients } = await openPair(t);
  const admin = await connectTo(t, database.url);
  const deafen = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'bulkhead watcher'`;
  const late = await quickest(async (name) => {
    // For as long as they need to come back; each connects beside the start of its server.
    for (let deafened = 0; deafened < 2; await pause(10))
      deafened += (await admin.query(deafen)).rowCount ?? 0;
    await servers[0].bulkhead.partitions.create({ name });
    return untilAnswered(clients[1].tenant(name), 200);
  });
  t.true(late < COHERENT_MS, `${late} ms`);
});

test('of 64 identical conditional creates over two servers one is made in each tenant', async (t) => {
  const { servers, clients } = await openPair(t);
  for (const name of ['acme', 'beta']) await servers[0].bulkhead.partitions.create({ name });
  await untilAnswered(clients[1].tenant('beta'), 200);
  const value = uniqueValue();
  const create = (client: FhirClient) =>
    client.post(
      'Patient',
      { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }] },
      { 'if-none-exist': `identifier=urn:mrn|${value}` },
    );
  const answers = await Promise.all(
    Array.from({ length: 128 }, async (_, index) => {
      const tenant = index % 4 < 2 ? 'acme' : 'beta';
      const { status } = await create(clients[index % 2 === 0 ? 0 : 1].tenant(tenant));
      return `${tenant} ${status}`;
    }),
  );
  const counts = Map.groupBy(answers, (answer) => answer);
  t.deepEqual([...counts].map(([answer, list]) => `${answer}: ${list.length}`).toSorted(), [
    'acme 200: 63',
    'acme 201: 1',
    'beta 200: 63',
    'beta 201: 1',
  ]);
  for (const tenant of ['acme', 'beta']) {
    for (const client of clients)
      t.is(await client.tenant(tenant).count(`Patient?identifier=urn:mrn|${value}`), 1);
  }
});

test('the pages of a search can be read on another server than the one that began it', async (t) => {
  const { servers, clients } = await openPair(t);
  await servers[0].bulkhead.partitions.create({ name: 'acme' });
  await untilAnswered(clients[1].tenant('acme'), 200);
  const here = clients[0].tenant('acme');
  const made = await Promise.all(Array.from({ length: 7 }, () => here.createPatient()));
  const read: (string | undefined)[] = [];
  let next: string | undefined = `${here.base}/Patient?_count=2&_sort=_lastUpdated`;
  for (let page = 0; next !== undefined; page++) {
    const other: URL = new URL(servers[page % 2]!.url);
    const address: URL = new URL(next);
    address.port = other.port;
    const answer = await here.get<Bundle>(address.href);
    t.is(answer.status, 200, answer.text);
    read.push(...(answer.body.entry ?? []).map(({ resource }) => resource?.id));
    next = linkOf(answer, 'next');
  }
  t.deepEqual(read.toSorted(), made.map(({ id }) => id).toSorted());
});

test('a purge is worked off by one server, and by another one when that is gone', async (t) => {
  let deletions = 0;
  const counting = defineInterceptor({
    name: 'counting',
    hooks: {
      STORAGE_PARTITION_DELETED: () => {
        deletions++;
      },
    },
  });
  const { database, servers, clients } = await openPair(t, { interceptors: [counting] });
  const { id } = await servers[0].bulkhead.partitions.create({ name: 'acme' });
  await untilAnswered(clients[1].tenant('acme'), 200);
  await Promise.all(Array.from({ length: 20 }, () => clients[1].tenant('acme').createPatient()));
  const job = await servers[0].bulkhead.partitions.startPurge(id);
  await Promise.all(servers.map(({ bulkhead }) => untilPurged(t, bulkhead, job.id)));
  t.is(deletions, 1);
  t.deepEqual(await database.rows(`select 1 from HFJ_RESOURCE where PARTITION_ID = ${id}`), []);
});

async function untilPurged(
  t: ExecutionContext,
  { parts }: TestServer['bulkhead'],
  job: string,
): Promise<void> {
  const begin = Date.now();
  for (;;) {
    const jobs = await parts.partitions.jobs();
    if (jobs.find(({ id }) => id === job)?.state === 'done') return;
    if (Date.now() - begin > 10_000) return t.fail('not purged in time');
    await pause(20);
  }
}
