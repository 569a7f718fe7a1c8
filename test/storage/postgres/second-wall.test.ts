import test, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import type { PgScope } from '../../../src/storage/sql/postgres/statement.js';
import { prologue } from '../../../src/storage/sql/postgres/prologue.js';
import { PARTITIONED_TABLES } from '../../../src/storage/sql/tables.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { connectTo, failureOf, FOREIGN, openConnections, openDatabase, OWN } from './fixtures.js';
import { addRow, partitionedTables } from './partitioned-tables.js';

/** Statements without any predicate, on tables in which two partitions have a row each. */
let database: TestDatabase;

test.before(async () => {
  database = await createTestDatabase();
});

test.after.always(() => database.drop());

/** A transaction with both rows in the table, which sees what `scope` lets it; undone when the test ends. */
async function withRows(t: ExecutionContext, table: string): Promise<(scope: PgScope) => Promise<Client>> {
  const client = await connectTo(t, database.url);
  await client.query('begin');
  t.teardown(() => client.query('rollback'));
  for (const partition of [OWN, FOREIGN]) {
    await begin(client, [partition]);
    await addRow(client, table, partition);
  }
  return async (scope) => {
    await begin(client, scope);
    return client;
  };
}

/** As the server begins: see prologue.ts. */
async function begin(client: Client, scope: PgScope): Promise<void> {
  await client.query(
    `select set_config('bulkhead.partition', '', true), set_config('bulkhead.partitions', '', true)`,
  );
  const { text, values } = prologue({ scope, purpose: { kind: 'write' }, schema: null });
  await client.query(text, [...values]);
}

async function seen(client: Client, table: string): Promise<readonly number[]> {
  const { rows } = await client.query<{ partition_id: number }>(
    `select partition_id from ${table} order by partition_id`,
  );
  return rows.map((row) => row.partition_id);
}

for (const table of PARTITIONED_TABLES) {
  test.serial(`${table}: a statement without a predicate sees its own partition's rows alone`, async (t) => {
    const as = await withRows(t, table);
    t.deepEqual(await seen(await as([OWN]), table), [OWN]);
    t.deepEqual(await seen(await as([FOREIGN]), table), [FOREIGN]);
    const { rowCount } = await (
      await as([OWN])
    ).query(`select 1 from ${table} where partition_id = ${FOREIGN}`);
    t.is(rowCount, 0);
  });

  test.serial(`${table}: a list of partitions shows their rows and no others`, async (t) => {
    const as = await withRows(t, table);
    t.deepEqual(await seen(await as([OWN, FOREIGN]), table), [OWN, FOREIGN]);
    t.deepEqual(await seen(await as([OWN, 3 as typeof OWN]), table), [OWN]);
    t.deepEqual(await seen(await as([3 as typeof OWN, 4 as typeof OWN]), table), []);
  });

  test.serial(`${table}: an update and a delete of everything leave foreign rows as they are`, async (t) => {
    const as = await withRows(t, table);
    const client = await as([OWN]);
    const moved = await client.query(`update ${table} set partition_date = '2001-01-01'`);
    t.is(moved.rowCount, 1);
    const gone = await client.query(`delete from ${table}`);
    t.is(gone.rowCount, 1);
    const { rows } = await (await as([FOREIGN])).query(`select partition_date from ${table}`);
    t.deepEqual(rows, [{ partition_date: null }]);
  });

  test.serial(`${table}: no row goes into another partition, neither new nor moved`, async (t) => {
    const as = await withRows(t, table);
    for (const scope of [[OWN], [OWN, 3 as typeof OWN]]) {
      const client = await as(scope);
      await client.query('savepoint here');
      t.is(await failureOf(addRow(client, table, FOREIGN)), '42501');
      await client.query('rollback to here');
      t.is(await failureOf(client.query(`update ${table} set partition_id = ${FOREIGN}`)), '42501');
      await client.query('rollback to here');
    }
  });

  test.serial(`${table}: without a scope there are no rows, and none can be made`, async (t) => {
    const as = await withRows(t, table);
    const client = await as('none');
    for (const role of ['bulkhead_app', 'bulkhead_app_many']) {
      await client.query(`set local role ${role}`);
      t.deepEqual(await seen(client, table), [], `${role} with empty settings`);
    }
    await client.query('savepoint here');
    t.is(await failureOf(addRow(client, table, OWN)), '42501');
    await client.query('rollback to here');
  });

  test.serial(`${table}: its owner is held as well`, async (t) => {
    const as = await withRows(t, table);
    const client = await as('none');
    await client.query('reset role');
    const { rows } = await client.query<{ rolsuper: boolean; owner: boolean }>(
      `select rolsuper, (select tableowner from pg_tables where tablename = lower($1)) = current_user as owner
        from pg_roles where rolname = current_user`,
      [table],
    );
    if (rows[0]?.rolsuper) return t.pass('a superuser is held by nothing');
    t.true(rows[0]?.owner);
    return t.deepEqual(await seen(client, table), []);
  });
}

test('a connection that never heard of a scope sees no rows, whoever it is', async (t) => {
  const client = await connectTo(t, database.url);
  for (const role of ['bulkhead_app', 'bulkhead_app_many']) {
    await client.query(`set role ${role}`);
    for (const table of PARTITIONED_TABLES) t.deepEqual(await seen(client, table), [], `${role} on ${table}`);
  }
});

test('every table with PARTITION_ID has row-level security, forced, with a policy for each role', async (t) => {
  const client = await connectTo(t, database.url);
  const tables = await partitionedTables(client);
  t.deepEqual(
    tables.map(({ name }) => name),
    PARTITIONED_TABLES.map((name) => name.toLowerCase()).toSorted(),
  );
  for (const { name, secured, forced, roles } of tables) {
    t.true(secured, name);
    t.true(forced, name);
    const readers = name === 'hfj_res_fulltext' ? ['bulkhead_fulltext'] : [];
    t.deepEqual(roles, ['bulkhead_app', 'bulkhead_app_many', ...readers], name);
  }
});

test('nothing opens a way around the wall but the function that looks words up', async (t) => {
  const client = await connectTo(t, database.url);
  const { rows } = await client.query(
    `select relname from pg_class where relkind in ('v', 'm', 'f') and relnamespace = current_schema()::regnamespace`,
  );
  t.deepEqual(rows, []);
  const definers = await client.query(
    `select proname from pg_proc where prosecdef and pronamespace = current_schema()::regnamespace`,
  );
  t.deepEqual(definers.rows, [{ proname: 'bulkhead_fulltext' }]);
});

test('the roles of the server own nothing, cannot log in, and bypass nothing', async (t) => {
  const client = await connectTo(t, database.url);
  const { rows } = await client.query(
    `select rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as mighty,
        exists (select 1 from pg_class c where c.relowner = r.oid) as owns
      from pg_roles r where rolname in ('bulkhead_app', 'bulkhead_app_many', 'bulkhead_fulltext')`,
  );
  t.deepEqual(
    rows,
    Array.from({ length: 3 }, () => ({ mighty: false, owns: false })),
  );
});

test('the roles cannot change what the wall is made of', async (t) => {
  const client = await connectTo(t, database.url);
  for (const sql of [
    'alter table HFJ_RESOURCE disable row level security',
    'alter table HFJ_RESOURCE no force row level security',
    'drop policy ONE_PARTITION on HFJ_RESOURCE',
    'truncate HFJ_RESOURCE',
    'create table OTHER (PARTITION_ID integer)',
  ]) {
    await client.query('begin');
    await begin(client, [OWN]);
    t.is(await failureOf(client.query(sql)), '42501', sql);
    await client.query('rollback');
  }
});

const WHAT_STAYS = {
  text: `select current_user = session_user, coalesce(current_setting('bulkhead.partition', true), ''),
    coalesce(current_setting('bulkhead.partitions', true), ''), current_setting('search_path'),
    current_setting('enable_seqscan'), current_setting('plan_cache_mode'), current_setting('statement_timeout'),
    (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())`,
  values: [],
};
const FRESH = [true, '', '', '"$user", public', 'on', 'auto', '0', 0];

test('nothing of a transaction stays on its connection, whether it was committed or failed', async (t) => {
  const { url } = await openDatabase(t);
  const connections = openConnections(t, url);
  const state = async (): Promise<unknown> => {
    const client = await connections.pool.take();
    const [result] = await connections.pool.run(client, [WHAT_STAYS]);
    client.release();
    return result?.rows[0];
  };
  const nothing = { text: 'select 1', values: [] };
  const failing = { text: 'select 1 / 0', values: [] };
  t.deepEqual(await state(), FRESH);
  await connections.read([OWN], [nothing]);
  await connections.read([OWN, FOREIGN], [nothing], { timeoutMs: 1_000 });
  t.deepEqual(await state(), FRESH);
  await connections.write([OWN], [nothing], 'exclusive');
  await connections.transaction([OWN, FOREIGN], (transaction) => transaction.run([nothing]), 'shared');
  t.deepEqual(await state(), FRESH);
  t.is(await failureOf(connections.read([OWN], [failing])), '22012');
  t.is(await failureOf(connections.write([OWN, FOREIGN], [failing], 'shared')), '22012');
  t.is(await failureOf(connections.transaction([OWN], (transaction) => transaction.run([failing]))), '22012');
  t.deepEqual(await state(), FRESH);
  const thrown = new Error('a hook refuses');
  await t.throwsAsync(
    connections.transaction([OWN], () => Promise.reject(thrown), 'exclusive'),
    { is: thrown },
  );
  t.deepEqual(await state(), FRESH);
});
