import test, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import type { PartitionId } from '../../../src/model/partition.js';
import { prologue } from '../../../src/storage/sql/postgres/prologue.js';
import type { PgScope } from '../../../src/storage/sql/postgres/statement.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { connectTo, failureOf, FOREIGN, OWN } from './fixtures.js';

/** What looks words up sees those of all partitions: it must answer those of the transaction's alone. */
let database: TestDatabase;

test.before(async () => {
  database = await createTestDatabase();
});

test.after.always(() => database.drop());

const THIRD = 3 as PartitionId;
/** Whose query it is does not matter: this one asks for everything that there is. */
const EVERYTHING = `('1:5:bone') | ('2:5:bone') | ('3:5':*)`;

/** A transaction with a row of each of three partitions, which sees what `scope` lets it; undone afterwards. */
async function withWords(t: ExecutionContext): Promise<(scope: PgScope) => Promise<Client>> {
  const client = await connectTo(t, database.url);
  await client.query('begin');
  t.teardown(() => client.query('rollback'));
  for (const partition of [OWN, FOREIGN, THIRD]) {
    await enter(client, [partition]);
    await client.query(
      `insert into HFJ_RES_FULLTEXT (PARTITION_ID, PARAM_ID, RES_ID, SP_WORDS)
        values ($1, 5, $2, $3::tsvector)`,
      [partition, partition * 10, `'${partition}:5:bone':1`],
    );
  }
  return async (scope) => {
    await enter(client, scope);
    return client;
  };
}

async function enter(client: Client, scope: PgScope): Promise<void> {
  await client.query(
    `select set_config('bulkhead.partition', '', true), set_config('bulkhead.partitions', '', true)`,
  );
  const { text, values } = prologue({ scope, purpose: { kind: 'search', timeoutMs: 5_000 }, schema: null });
  await client.query(text, [...values]);
}

async function found(client: Client): Promise<readonly number[]> {
  const { rows } = await client.query<{ partition_id: number }>(
    `select PARTITION_ID from BULKHEAD_FULLTEXT($1, null) order by 1`,
    [EVERYTHING],
  );
  return rows.map((row) => row.partition_id);
}

test('a partition finds its own words, whatever is asked for', async (t) => {
  const as = await withWords(t);
  for (const partition of [OWN, FOREIGN, THIRD]) t.deepEqual(await found(await as([partition])), [partition]);
});

test('a list of partitions finds their words and no others', async (t) => {
  const as = await withWords(t);
  t.deepEqual(await found(await as([OWN, THIRD])), [OWN, THIRD]);
  t.deepEqual(await found(await as([FOREIGN, 9 as PartitionId])), [FOREIGN]);
});

test('without a scope nothing is found, in whatever role', async (t) => {
  const as = await withWords(t);
  const client = await as('none');
  for (const role of ['bulkhead_app', 'bulkhead_app_many']) {
    await client.query(`set local role ${role}`);
    t.deepEqual(await found(client), [], role);
  }
});

test('a setting that is not that of the role shows nothing', async (t) => {
  const as = await withWords(t);
  const client = await as([OWN]);
  await client.query(`select set_config('bulkhead.partitions', '1,2,3', true)`);
  t.deepEqual(await found(client), [OWN]);
  await client.query(`select set_config('bulkhead.partition', '', true)`);
  t.deepEqual(await found(client), []);
});

test('the roles of the server do not see the words of others by any other way', async (t) => {
  const as = await withWords(t);
  const client = await as([OWN]);
  const { rows } = await client.query('select partition_id from HFJ_RES_FULLTEXT');
  t.deepEqual(rows, [{ partition_id: OWN }]);
  for (const sql of [
    'alter function BULKHEAD_FULLTEXT(text, text) reset all',
    'create or replace function BULKHEAD_FULLTEXT(QUERY text, RANKING text) returns integer language sql as $$ select 1 $$',
  ]) {
    await client.query('savepoint here');
    t.is(await failureOf(client.query(sql)), '42501', sql);
    await client.query('rollback to here');
  }
});

test('words are found by their index, as the function that looks them up is planned', async (t) => {
  const client = await connectTo(t, database.url);
  const { rows: functions } = await client.query<{
    body: string;
    settings: readonly string[];
    owner: string;
  }>(
    `select pg_get_function_sqlbody(oid) as body, proconfig as settings, proowner::regrole::text as owner
      from pg_proc where proname = 'bulkhead_fulltext'`,
  );
  const [made] = functions;
  t.is(made?.owner, 'bulkhead_fulltext');
  await client.query('begin');
  t.teardown(() => client.query('rollback'));
  for (const setting of made?.settings.filter((one) => one.startsWith('enable')) ?? [])
    await client.query(`set local ${setting.replace('=', ' = ')}`);
  const query = /select[\s\S]*(?=;)/i.exec(made?.body ?? '')?.[0] ?? '';
  await client.query('set local plan_cache_mode = force_generic_plan');
  const asked = query
    .replaceAll(/\b(?:bulkhead_fulltext\.)?query\b/gi, '$1')
    .replaceAll(/\b(?:bulkhead_fulltext\.)?ranking\b/gi, '$2');
  await client.query(`prepare words (text, text) as ${asked}`);
  await client.query('set local role bulkhead_fulltext');
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute words ('bone', null)`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  t.regex(plan, /Bitmap Index Scan on fulltext_words/);
  t.regex(plan, /Index Cond: \(sp_words @@/);
});
