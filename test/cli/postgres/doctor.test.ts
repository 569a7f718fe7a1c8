import test, { type ExecutionContext } from 'ava';
import { Client } from 'pg';
import { PARTITIONED_TABLES } from '../../../src/storage/sql/tables.js';
import { createEmptyDatabase, createTestDatabase } from '../../support/test-database.js';
import { createWorkplace } from '../fixtures.js';

const WALL_PROVED = new RegExp(`^ok +wall +proved on ${PARTITIONED_TABLES.length} tables$`, 'm');

/** Something that a DBA does by hand. */
async function runSql(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

/** What the doctor says of a database with a partition in every kind of place, after somebody was at it. */
async function diagnose(t: ExecutionContext, ...statements: readonly string[]) {
  const { run, databaseUrl } = await createWorkplace(t);
  await run('partition', 'create', 'beside');
  for (const placement of ['schema', 'database']) {
    t.is((await run('partition', 'create', placement, '--placement', placement)).exit, 0);
  }
  await runSql(databaseUrl, ...statements);
  return { ...(await run('doctor', '--port', '0')), databaseUrl };
}

test('a healthy database has its wall proved, in every kind of place', async (t) => {
  const { exit, out, databaseUrl } = await diagnose(t);
  t.is(exit, 0, out);
  t.regex(out, /^ok +database +PostgreSQL \d+/m);
  for (const name of ['pool', 'login', 'schema']) t.regex(out, new RegExp(`^ok +${name} `, 'm'));
  t.regex(out, /^ok +roles +bulkhead_app, bulkhead_app_many$/m);
  t.regex(out, /^ok +partitions +3 in service/m);
  t.regex(out, WALL_PROVED);
  t.regex(out, /^ok +homes +2 partitions with a place of their own$/m);
  const { password } = new URL(databaseUrl);
  t.false(out.includes(`:${password}@`), 'the password is masked');
});

test('the doctor leaves no row, and does not migrate', async (t) => {
  const database = await createTestDatabase();
  const { run } = await createWorkplace(t, async () => database);
  t.regex((await run('doctor', '--port', '0')).out, /^ok +wall +proved/m);
  for (const table of PARTITIONED_TABLES)
    t.deepEqual(await database.rows(`select * from ${table}`), [], table);
  const empty = await createWorkplace(t, createEmptyDatabase);
  for (const _ of [1, 2]) {
    const { exit, out } = await empty.run('doctor', '--port', '0');
    t.is(exit, 0, out);
    t.regex(out, /^warn +schema +0001-resources.* is not applied\. .*bulkhead migrate/m);
  }
});

test('a table without row-level security fails, and so does one that does not hold its owner', async (t) => {
  const { exit, out } = await diagnose(
    t,
    'alter table HFJ_SPIDX_TOKEN disable row level security',
    'alter table HFJ_RES_LINK no force row level security',
  );
  t.is(exit, 1);
  t.regex(out, /^fail +wall .*hfj_spidx_token has no row-level security/m);
  t.regex(out, /hfj_spidx_token: a partition sees rows of another/);
  t.regex(out, /hfj_spidx_token: a partition writes rows of another/);
  t.regex(out, /hfj_res_link does not hold its owner/);
});

test('a policy that somebody added fails', async (t) => {
  const { exit, out } = await diagnose(t, 'create policy REPORTS on HFJ_RESOURCE using (true)');
  t.is(exit, 1);
  t.regex(out, /^fail +wall .*hfj_resource has other policies: bulkhead_app, bulkhead_app_many, everybody/m);
  t.regex(out, /hfj_resource: rows are seen without a partition/);
});

test('the wall of a schema and that it is there are looked at', async (t) => {
  const open = await diagnose(t, 'alter table bulkhead_p2.HFJ_RESOURCE disable row level security');
  t.is(open.exit, 1);
  t.regex(open.out, /^ok +wall /m);
  t.regex(open.out, /^fail +wall +schema bulkhead_p2: hfj_resource has no row-level security/m);
  const gone = await diagnose(t, 'drop schema bulkhead_p2 cascade');
  t.is(gone.exit, 1);
  t.regex(gone.out, /^fail +homes +schema bulkhead_p2 is not there/m);
});

test('a home that is behind is a warning', async (t) => {
  const { exit, out } = await diagnose(
    t,
    `delete from bulkhead_p2.HFJ_MIGRATION where id = (select max(id) from bulkhead_p2.HFJ_MIGRATION)`,
  );
  t.is(exit, 0);
  t.regex(out, /^warn +homes +2 partitions with a place of their own, 1 behind this version/m);
});

test('rows that lie in parts of a table are behind the wall of the whole', async (t) => {
  const parted = [
    'create table PARTED (like HFJ_BINARY_STAGE including all) partition by list (PARTITION_ID)',
    'drop table HFJ_BINARY_STAGE',
    'alter table PARTED rename to HFJ_BINARY_STAGE',
    'create table PARTED_REST partition of HFJ_BINARY_STAGE default',
    'grant select, insert, update, delete on HFJ_BINARY_STAGE to bulkhead_app, bulkhead_app_many',
  ];
  const open = await diagnose(t, ...parted);
  t.regex(open.out, /^fail +wall .*hfj_binary_stage has no row-level security/m);
  const one = `PARTITION_ID = (select nullif(current_setting('bulkhead.partition', true), '')::integer)`;
  const list = `PARTITION_ID = any ((select string_to_array(
    nullif(current_setting('bulkhead.partitions', true), ''), ',')::integer[])::integer[])`;
  const walled = [
    ...parted,
    'alter table HFJ_BINARY_STAGE enable row level security, force row level security',
    `create policy O on HFJ_BINARY_STAGE to bulkhead_app using (${one})`,
    `create policy S on HFJ_BINARY_STAGE to bulkhead_app_many using (${list})`,
  ];
  t.regex((await diagnose(t, ...walled)).out, WALL_PROVED);
  const { out } = await diagnose(t, ...walled, 'grant select on PARTED_REST to bulkhead_app');
  t.regex(out, /^fail +wall +parted_rest has no row-level security/m);
});

test('native partitions are behind the wall of their tables, and open nothing beside it', async (t) => {
  const { run, databaseUrl } = await createWorkplace(t, createEmptyDatabase);
  t.is((await run('migrate', '--native-partitions', '10')).exit, 0);
  t.is((await run('partition', 'create', 'acme', '--native-partitions', '10')).exit, 0);
  const whole = await run('doctor', '--port', '0');
  t.is(whole.exit, 0, whole.out);
  t.regex(whole.out, WALL_PROVED);
  await runSql(
    databaseUrl,
    'grant select on HFJ_RESOURCE_P1 to bulkhead_app',
    'alter table HFJ_RESOURCE_P1 disable row level security',
  );
  t.regex(
    (await run('doctor', '--port', '0')).out,
    /^fail +wall +hfj_resource_p1 has no row-level security/m,
  );
});

test('a database that is not there, or not reachable, is told with what to do and without the password', async (t) => {
  const { run, databaseUrl } = await createWorkplace(t);
  const missing = new URL(databaseUrl);
  missing.pathname = '/bulkhead_nowhere';
  const gone = await run('doctor', '--port', '0', '--database-url', missing.href);
  t.is(gone.exit, 1);
  t.regex(gone.out, /^fail +database .*cannot be reached: .*bulkhead_nowhere.*\. Make it: create database/m);
  const deaf = await run('doctor', '--port', '0', '--database-url', 'postgres://me:secret@127.0.0.1:1/x');
  t.is(deaf.exit, 1);
  t.regex(deaf.out, /^fail +database .*cannot be reached: .*ECONNREFUSED/m);
  t.false(deaf.out.includes('secret'));
});

test('a schema of a newer version fails', async (t) => {
  const { exit, out } = await diagnose(
    t,
    `insert into HFJ_MIGRATION (name, batch, migration_time) values ('9999-future', 9, now())`,
  );
  t.is(exit, 1);
  t.regex(out, /^fail +schema +9999-future is newer than this version/m);
});
