import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import type { PgStatement } from '../../../src/storage/sql/postgres/statement.js';
import { assertError, FhirClient, uniqueValue } from '../../contract/support/fhir-client.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { connectTo, failureOf, openConnections, OWN } from './fixtures.js';

/** A server on a database of its own, and what breaks it. */
interface Place {
  readonly database: TestDatabase;
  readonly server: TestServer;
  readonly client: FhirClient;
  readonly admin: Client;
}

async function openPlace(t: ExecutionContext, settings: StoreTestOptions['settings'] = {}): Promise<Place> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const server = await createTestServer({
    database,
    partitions: ['acme'],
    settings: { placement: 'shared', ...settings },
  });
  t.teardown(() => server.stop());
  const admin = await connectTo(t, database.url);
  return { database, server, client: new FhirClient(server.url).tenant('acme'), admin };
}

/** Within a transaction the activity of others is shown as it was when it was first looked at. */
async function lookAnew(admin: Client): Promise<void> {
  await admin.query('select pg_stat_clear_snapshot()');
}

/** Ends connections of the server. Answers how many. */
async function terminate(admin: Client, which: string): Promise<number> {
  await lookAnew(admin);
  const { rowCount } = await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and ${which}`,
  );
  return rowCount ?? 0;
}

/** Waits until a connection of the server waits for a lock. */
async function untilBlocked(admin: Client): Promise<void> {
  for (;;) {
    await lookAnew(admin);
    const { rowCount } = await admin.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rowCount) return;
    await pause(10);
  }
}

test('connections that were ended while idle are noticed by nobody', async (t) => {
  const { client, admin, server } = await openPlace(t);
  const patient = await client.createPatient();
  await Promise.all(Array.from({ length: 8 }, () => client.get('Patient')));
  t.true((await terminate(admin, 'true')) >= 3);
  const answers = await Promise.all([
    client.get(`Patient/${patient.id}`),
    client.get('Patient?_total=accurate'),
    client.post('Patient', { resourceType: 'Patient' }),
  ]);
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 201],
  );
  await pause(600);
  t.is((await fetch(new URL('/readyz', server.url))).status, 200);
});

test('a read whose connection is ended is answered by another connection', async (t) => {
  const { client, admin } = await openPlace(t);
  const patient = await client.createPatient();
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const reading = client.get(`Patient/${patient.id}`);
  await untilBlocked(admin);
  t.is(await terminate(admin, `wait_event_type = 'Lock'`), 1);
  await admin.query('rollback');
  t.is((await reading).status, 200);
});

test('a write whose connection is ended before the commit is made once, by another connection', async (t) => {
  const { client, admin } = await openPlace(t);
  const value = uniqueValue();
  await client.createPatient();
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const writing = client.post('Patient', { resourceType: 'Patient', identifier: [{ value }] });
  await untilBlocked(admin);
  t.is(await terminate(admin, `wait_event_type = 'Lock'`), 1);
  await admin.query('rollback');
  t.is((await writing).status, 201);
  t.is(await client.count(`Patient?identifier=${value}`), 1);
});

test('a read that is ended each time it is tried is refused for now', async (t) => {
  const { client, admin } = await openPlace(t);
  const patient = await client.createPatient();
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const reading = client.get(`Patient/${patient.id}`);
  while ((await Promise.race([reading, pause(20)])) === undefined) {
    await terminate(admin, `wait_event_type = 'Lock'`);
  }
  const answer = await reading;
  await admin.query('rollback');
  assertError(t, answer, 503, 'BUSY');
  t.truthy(answer.headers.get('retry-after'));
});

test('a search that takes too long ends with SEARCH_TIMEOUT, and its connection is as good as before', async (t) => {
  const { client, admin } = await openPlace(t, { searchTimeoutMs: 100, databasePoolSize: 2 });
  await client.createPatient({ birthDate: '2001-02-03', name: [{ family: 'Late' }] });
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const answer = await client.get('Patient?birthdate=gt2000&_sort=family');
  assertError(t, answer, 503, 'SEARCH_TIMEOUT');
  t.truthy(answer.headers.get('retry-after'));
  await admin.query('rollback');
  t.is((await client.get('Patient?birthdate=gt2000&_sort=family')).status, 200);
});

test('when no connection gets free requests are refused in time, and readiness is not among them', async (t) => {
  const { client, admin, server } = await openPlace(t, { databasePoolSize: 2 });
  const patient = await client.createPatient();
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const begin = Date.now();
  const holding = Array.from({ length: 2 }, () => client.get(`Patient/${patient.id}`));
  const refused = await Promise.all(Array.from({ length: 20 }, () => client.get(`Patient/${patient.id}`)));
  const waited = Date.now() - begin;
  const isReady = await fetch(new URL('/readyz', server.url));
  await admin.query('rollback');
  for (const answer of refused.slice(0, -2)) assertError(t, answer, 503, 'BUSY');
  t.true(waited < 12_000, `${waited} ms`);
  t.is(isReady.status, 200);
  for (const answer of await Promise.all(holding)) t.is(answer.status, 200);
});

/** Makes every insert of a patient with this id fail so often, then pass. */
async function failInserts(admin: Client, code: string, times: number): Promise<void> {
  await admin.query(`create sequence FAILURES`);
  await admin.query(`grant usage on sequence FAILURES to public`);
  await admin.query(`create function FAIL() returns trigger language plpgsql as $$ begin
    if nextval('FAILURES') <= ${times} then raise exception using errcode = '${code}', message = 'on purpose'; end if;
    return new; end $$`);
  await admin.query(`create trigger FAIL before insert on HFJ_RESOURCE for each row execute function FAIL()`);
}

for (const [code, what] of [
  ['40P01', 'a deadlock'],
  ['40001', 'a serialization failure'],
] as const) {
  test(`${what} is tried once more`, async (t) => {
    const { client, admin } = await openPlace(t);
    await failInserts(admin, code, 1);
    t.is((await client.post('Patient', { resourceType: 'Patient' })).status, 201);
    t.is(await client.count('Patient'), 1);
  });

  test(`${what} that happens again is refused for now`, async (t) => {
    const { client, admin } = await openPlace(t);
    await failInserts(admin, code, 2);
    const answer = await client.post('Patient', { resourceType: 'Patient' });
    assertError(t, answer, 503, 'BUSY');
    t.truthy(answer.headers.get('retry-after'));
    t.is(await client.count('Patient'), 0);
    t.is((await client.post('Patient', { resourceType: 'Patient' })).status, 201);
  });
}

function addTo(id: number): PgStatement {
  return { text: 'update CELL set N = N + 1 where ID = $1::integer', values: [id] };
}

test('a real deadlock ends with both changes made', async (t) => {
  const { database, admin } = await openPlace(t);
  await admin.query(`create table CELL (ID integer primary key, N integer)`);
  await admin.query(`insert into CELL values (1, 0), (2, 0)`);
  await admin.query(`grant all on CELL to bulkhead_app`);
  const connections = openConnections(t, database.url, { poolSize: 2 });
  const wait = { text: 'select pg_sleep(0.1)', values: [] };
  await Promise.all([
    connections.write([OWN], [addTo(1), wait, addTo(2)]),
    connections.write([OWN], [addTo(2), wait, addTo(1)]),
  ]);
  const { rows } = await admin.query('select N from CELL');
  t.deepEqual(rows, [{ n: 2 }, { n: 2 }]);
});

test('a server that has become read-only is left: writes are refused, then made on a new connection', async (t) => {
  const { client, admin, database } = await openPlace(t);
  const before = await client.createPatient();
  const name = new URL(database.url).pathname.slice(1);
  await admin.query(`alter database ${name} set default_transaction_read_only = on`);
  // As after a failover, every connection is to a server that only reads.
  await terminate(admin, 'true');
  const refused = await client.post('Patient', { resourceType: 'Patient' });
  assertError(t, refused, 503, 'BUSY');
  t.truthy(refused.headers.get('retry-after'));
  t.is((await client.get(`Patient/${before.id}`)).status, 200);
  await admin.query('set default_transaction_read_only = off');
  await admin.query(`alter database ${name} reset default_transaction_read_only`);
  // The old connections still only read; not one of them is asked again.
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => client.post('Patient', { resourceType: 'Patient' })),
  );
  t.deepEqual(
    answers.map(({ status }) => status),
    Array.from({ length: 6 }, () => 201),
  );
});

test('characters that PostgreSQL cannot store are the fault of who sends them', async (t) => {
  const { client, database } = await openPlace(t);
  const connections = openConnections(t, database.url);
  const zero = { text: 'select $1::text', values: ['a\0b'] };
  t.is(await failureOf(connections.read([OWN], [zero])), 'INVALID_REQUEST');
  const answer = await client.post('Patient', { resourceType: 'Patient', name: [{ family: 'a\0b' }] });
  t.true(answer.status === 400 || answer.status === 422, answer.text);
  for (const search of ['family=a%00b', 'identifier=a%00b', '_id=a%00b', 'family:contains=%00'])
    t.true((await client.get(`Patient?${search}`)).status < 500, search);
});

test('an answer that does not come is given up, and the connection with it', async (t) => {
  const { database } = await openPlace(t);
  const connections = openConnections(t, database.url, { answerTimeoutMs: 200 });
  const sleep = { text: 'select pg_sleep(5)', values: [] };
  const begin = Date.now();
  t.is(await failureOf(connections.read([OWN], [sleep])), 'BUSY');
  t.is(await failureOf(connections.write([OWN], [sleep])), 'OUTCOME_UNKNOWN');
  t.is(await failureOf(connections.transaction([OWN], (transaction) => transaction.run([sleep]))), 'BUSY');
  t.true(Date.now() - begin < 3_000);
  const [result] = await connections.read([OWN], [{ text: 'select 1::integer', values: [] }]);
  t.deepEqual(result?.rows, [[1]]);
});

test('what is allowed its time gets it', async (t) => {
  const { database } = await openPlace(t);
  const connections = openConnections(t, database.url, { answerTimeoutMs: 500 });
  const sleep = { text: 'select pg_sleep(5)', values: [] };
  t.is(await failureOf(connections.read([OWN], [sleep], { timeoutMs: 600 })), 'SEARCH_TIMEOUT');
});

test('what the owner of the tables does is refused for now where the database is away, and told where it refuses', async (t) => {
  const { database } = await openPlace(t);
  const { pool } = openConnections(t, database.url);
  const run = (sql: string) => failureOf(pool.asOwner((client) => client.query(sql)));
  t.is(await run('select pg_terminate_backend(pg_backend_pid())'), 'BUSY');
  t.is(await run('select 1 / 0'), '22012');
  t.is(await run('select 1'), undefined);
  const nowhere = openConnections(t, 'postgres://nobody@127.0.0.1:1/nothing');
  t.is(await failureOf(nowhere.pool.asOwner(async () => undefined)), 'BUSY');
});

test('a transaction that nobody goes on with ends, and lets go of what it holds', async (t) => {
  const { database, admin } = await openPlace(t);
  const connections = openConnections(t, database.url, { poolSize: 1 });
  const hurry = { text: `select set_config('idle_in_transaction_session_timeout', '100', true)`, values: [] };
  const limit = { text: `select current_setting('idle_in_transaction_session_timeout')`, values: [] };
  const failure = await failureOf(
    connections.transaction(
      [OWN],
      async (transaction) => {
        const [set] = await transaction.run([limit, hurry]);
        t.deepEqual(set?.rows, [['1min']]);
        await pause(500);
        await transaction.run([limit]);
      },
      'exclusive',
    ),
  );
  t.is(failure, 'BUSY');
  const { rows } = await admin.query(`select 1 from pg_locks where locktype = 'advisory' and database =
    (select oid from pg_database where datname = current_database())`);
  t.deepEqual(rows, []);
});

test('clients that leave in the middle of their searches leave no connection and no statement behind', async (t) => {
  const { client, admin } = await openPlace(t, { searchTimeoutMs: 300, databasePoolSize: 2 });
  const { id } = await client.createPatient({ birthDate: '2001-02-03' });
  await admin.query('begin; lock table HFJ_RESOURCE in access exclusive mode');
  const leaving = new AbortController();
  const searches = Array.from({ length: 4 }, () =>
    fetch(`${client.base}/Patient?birthdate=gt2000&_sort=family`, { signal: leaving.signal }),
  );
  await untilBlocked(admin);
  leaving.abort();
  await Promise.allSettled(searches);
  await pause(1_000);
  await lookAnew(admin);
  const { rows } = await admin.query<{ open: number; busy: number }>(
    `select count(*)::integer as open, count(*) filter (where state <> 'idle')::integer as busy
      from pg_stat_activity where datname = current_database() and application_name = 'bulkhead'`,
  );
  await admin.query('rollback');
  t.is(rows[0]?.busy, 0);
  t.true(rows[0]!.open <= 2);
  const answers = await Promise.all(Array.from({ length: 4 }, () => client.get(`Patient/${id}`)));
  for (const { status } of answers) t.is(status, 200);
});
