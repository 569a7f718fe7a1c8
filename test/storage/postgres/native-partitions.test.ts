import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import { requestTenantPartition, withPartitionDate } from '../../../interceptors/index.js';
import { PostgresConnections } from '../../../src/storage/sql/postgres/connections.js';
import { PostgresPool } from '../../../src/storage/sql/postgres/postgres-pool.js';
import { FhirClient } from '../../contract/support/fhir-client.js';
import { POSTGRES_WITHOUT_FULL_TEXT } from '../../support/earlier-schema.js';
import { createEmptyDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { explainPostgres } from '../search/test-rows.js';
import { connectTo, failureOf, openDatabase } from './fixtures.js';
import { STATEMENTS } from './one-partition-statements.js';

const TABLES_WITH_LEAVES = 14;

interface NativeWorld {
  readonly database: TestDatabase;
  readonly server: TestServer;
  readonly root: FhirClient;
  /** The owner of the tables. */
  readonly owner: Client;
}

/** A server on a database that is made with native partitions. */
async function openNative(
  t: ExecutionContext,
  { settings, ...options }: StoreTestOptions = {},
): Promise<NativeWorld> {
  const database = await createEmptyDatabase();
  t.teardown(() => database.drop());
  const server = await createTestServer({
    ...options,
    database,
    settings: { placement: 'shared', nativePartitions: 12, ...settings },
  });
  t.teardown(() => server.stop());
  return { database, server, root: new FhirClient(server.url), owner: await connectTo(t, database.url) };
}

async function leavesOf(owner: Client, partition: string): Promise<readonly string[]> {
  const { rows } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhrelid::regclass::text like $1 order by 1`,
    [`%\\_${partition}`],
  );
  return rows.map(({ name }) => name);
}

async function untilPurged(server: TestServer, id: number): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await pause(20)) {
    const jobs = await server.bulkhead.parts.partitions.jobs();
    if (jobs.some(({ partition, state }) => partition === id && state === 'done')) return;
  }
}

test('a partition gets a table of its own for everything, negative ids too, and its rows are there', async (t) => {
  const { root, owner } = await openNative(t, { partitions: ['acme', { id: -7, name: 'minus' }] });
  for (const [name, end] of [
    ['acme', 'p1'],
    ['minus', 'pn7'],
  ] as const) {
    t.is((await leavesOf(owner, end)).length, TABLES_WITH_LEAVES);
    await root.tenant(name).createPatient({ name: [{ family: 'Okafor' }] });
    t.is(await root.tenant(name).count('Patient?family=oka'), 1);
    for (const table of ['hfj_resource', 'hfj_spidx_string']) {
      const { rows } = await owner.query<{ size: number }>(
        `select pg_relation_size('${table}_${end}')::integer as size`,
      );
      t.true(rows[0]!.size > 0, table);
    }
  }
});

test('the roles of the server reach native partitions through their tables only, and the owner sees no row', async (t) => {
  const { root, owner } = await openNative(t, { partitions: ['acme'] });
  await root.tenant('acme').createPatient({});
  const { rows: leaves } = await owner.query<{ name: string; secured: boolean }>(
    `select relname as name, relrowsecurity and relforcerowsecurity as secured from pg_class
      where relispartition and relkind = 'r'`,
  );
  t.is(leaves.length, 3 * TABLES_WITH_LEAVES);
  for (const { name, secured } of leaves) {
    t.true(secured, name);
    t.is((await owner.query(`select from ${name}`)).rowCount, 0, name);
    for (const role of ['bulkhead_app', 'bulkhead_app_many']) {
      await owner.query(`begin; set local role ${role}; set local bulkhead.partition = 1`);
      t.is(await failureOf(owner.query(`select from ${name}`)), '42501', `${role} ${name}`);
      await owner.query('rollback');
    }
  }
});

test('beyond the cap partitions share their tables, and work the same', async (t) => {
  const { root, owner } = await openNative(t, {
    settings: { nativePartitions: 2 },
    partitions: ['one', 'two', 'three'],
  });
  t.is((await leavesOf(owner, 'p2')).length, TABLES_WITH_LEAVES);
  t.deepEqual(await leavesOf(owner, 'p3'), []);
  await root.tenant('three').createPatient({});
  t.is(await root.tenant('three').count('Patient'), 1);
  t.is(await root.tenant('two').count('Patient'), 0);
  t.is(await root.tenant('_ALL').count('Patient'), 1);
});

test('a partition that is purged or deleted takes its tables with it', async (t) => {
  const { server, root, owner } = await openNative(t, { partitions: ['acme', 'empty', 'other'] });
  for (const name of ['acme', 'other']) await root.tenant(name).createPatient({ active: true });
  const { partitions } = server.bulkhead;
  await partitions.delete(2);
  t.deepEqual(await leavesOf(owner, 'p2'), []);
  await partitions.startPurge(1);
  await untilPurged(server, 1);
  t.deepEqual(await leavesOf(owner, 'p1'), []);
  t.is((await leavesOf(owner, 'p3')).length, TABLES_WITH_LEAVES);
  t.is(await root.tenant('other').count('Patient?active=true'), 1);
});

test('tables that cannot be dropped because of a long read go with the next start', async (t) => {
  const { database, server, owner } = await openNative(t, { partitions: ['acme'] });
  await owner.query('begin');
  await owner.query('select 1 from hfj_res_link limit 1');
  await server.bulkhead.partitions.delete(1);
  t.true((await leavesOf(owner, 'p1')).length > 0);
  await owner.query('rollback');
  const next = await createTestServer({ database, settings: { nativePartitions: 12 } });
  t.deepEqual(await leavesOf(owner, 'p1'), []);
  await next.stop();
});

test('a table of a later migration has the same native partitions, behind the same wall', async (t) => {
  const { database, server, root, owner } = await openNative(t, { partitions: ['acme'] });
  await root.tenant('acme').createPatient({});
  await server.stop();
  await owner.query('drop table hfj_spidx_composite');
  for (const statement of POSTGRES_WITHOUT_FULL_TEXT) await owner.query(statement);
  await owner.query(`delete from hfj_migration where name >= '0003'`);
  const next = await createTestServer({ database, settings: { nativePartitions: 12 } });
  t.teardown(() => next.stop());
  for (const end of ['p0', 'others', 'p1'])
    t.is((await leavesOf(owner, end)).length, TABLES_WITH_LEAVES, end);
  const { rows: open } = await owner.query(
    `select relname from pg_class
      where relispartition and relkind = 'r' and not (relrowsecurity and relforcerowsecurity)`,
  );
  t.deepEqual(open, []);
  const acme = new FhirClient(next.url).tenant('acme');
  const component = [{ code: { coding: [{ code: 'sys' }] }, valueQuantity: { value: 120 } }];
  const pressure = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, component };
  t.is((await acme.post('Observation', pressure)).status, 201);
  const { text } = await acme.get('Observation?component-code-value-quantity=sys$120');
  t.regex(text, /"search":\{"mode":"match"\}/);
  t.regex(text, /does not find all data yet/);
});

test('a long read of other tenants keeps no partition from being made, and stops nobody', async (t) => {
  const { server, root, owner } = await openNative(t, { partitions: ['acme'] });
  await owner.query('begin');
  await owner.query('select 1 from hfj_resource where partition_id = 1 limit 1');
  const { id } = await server.bulkhead.partitions.create({ name: 'beta' });
  t.is((await leavesOf(owner, `p${id}`)).length, TABLES_WITH_LEAVES);
  await root.tenant('beta').createPatient({});
  t.is(await root.tenant('acme').count('Patient'), 0);
  await owner.query('rollback');
});

async function sizeOf(owner: Client, leaf: string): Promise<number> {
  const { rows } = await owner.query<{ size: number }>(`select pg_relation_size($1)::integer as size`, [
    leaf,
  ]);
  return rows[0]?.size ?? Number.NaN;
}

/** A partition of which everything but `kept` is dated before 2020. */
async function openDated(t: ExecutionContext, kept: boolean): Promise<NativeWorld> {
  const now = { day: '2019-12-31' };
  const dated = withPartitionDate(requestTenantPartition(), () => now.day);
  const world = await openNative(t, {
    settings: { partitioning: ['interceptors'], resourceIds: 'server' },
    interceptors: [dated],
    partitions: ['acme', 'beta'],
  });
  for (const name of ['acme', 'beta']) {
    const tenant = world.root.tenant(name);
    const patient = { resourceType: 'Patient', id: `of-${name}`, name: [{ family: 'Okafor' }] };
    await tenant.put(`Patient/${patient.id}`, patient);
    await tenant.put(`Patient/${patient.id}`, { ...patient, active: true });
  }
  now.day = '2020-01-01';
  if (kept) await world.root.tenant('acme').createPatient({ name: [{ family: 'Kept' }] });
  return world;
}

test('a retention empties the tables of a partition at once where all of it has expired', async (t) => {
  const { server, root, owner, database } = await openDated(t, false);
  const { indexRows, ...retained } = await server.bulkhead.partitions.retain(1, '2020-01-01');
  t.deepEqual(retained, { resources: 1, versions: 1, dangling: 0 });
  t.true(indexRows > 0);
  for (const leaf of await leavesOf(owner, 'p1')) t.is(await sizeOf(owner, leaf), 0, leaf);
  t.is(await root.tenant('beta').count('Patient?family=okafor'), 1);
  t.is((await root.tenant('beta').get('Patient/of-beta/_history/1')).status, 200);
  const claims = await database.rows('select PARTITION_ID from HFJ_RES_ID_CLAIM');
  t.deepEqual(claims, [[2]], 'claims of ids go too');
  await root.tenant('acme').createPatient({ name: [{ family: 'Okafor' }] });
  t.is(await root.tenant('acme').count('Patient?family=okafor'), 1);
});

test('a retention goes row by row where something is kept', async (t) => {
  const { server, root, owner } = await openDated(t, true);
  t.like(await server.bulkhead.partitions.retain(1, '2020-01-01'), { resources: 1, versions: 1 });
  t.true((await sizeOf(owner, 'hfj_resource_p1')) > 0);
  t.is(await root.tenant('acme').count('Patient?family=kept'), 1);
  t.is(await root.tenant('acme').count('Patient?family=okafor'), 0);
  t.is(await root.tenant('beta').count('Patient'), 1);
});

test('a retention goes row by row where somebody reads the tables for long', async (t) => {
  const { server, root, owner } = await openDated(t, false);
  await owner.query('begin; select from hfj_resource_p1');
  t.like(await server.bulkhead.partitions.retain(1, '2020-01-01'), { resources: 1, versions: 1 });
  await owner.query('rollback');
  t.is(await root.tenant('acme').count('Patient'), 0);
});

test('a partition that moves away drops its tables, and has them again when it comes back', async (t) => {
  const { server, root, owner } = await openNative(t, { partitions: ['acme', 'beta'] });
  await root.tenant('acme').createPatient({ name: [{ family: 'Okafor' }] });
  for (const [to, leaves] of [
    ['schema', 0],
    ['shared', TABLES_WITH_LEAVES],
  ] as const) {
    const { id } = await server.bulkhead.partitions.startMove(1, to);
    const isDone = async (): Promise<boolean> =>
      (await server.bulkhead.parts.partitions.jobs()).some((job) => job.id === id && job.state === 'done');
    for (const end = Date.now() + 20_000; !(await isDone()) && Date.now() < end;) await pause(50);
    t.is((await leavesOf(owner, 'p1')).length, leaves, to);
    t.is(await root.tenant('acme').count('Patient?family=okafor'), 1, to);
  }
  t.true((await sizeOf(owner, 'hfj_resource_p1')) > 0);
});

test('a database that was made without native partitions refuses to start with them', async (t) => {
  const database = await openDatabase(t);
  await t.throwsAsync(createTestServer({ database, settings: { nativePartitions: 5 } }), {
    message: /made without native partitions/,
  });
});

test('a database that was made with them knows so by itself', async (t) => {
  const { database, root, owner } = await openNative(t, { partitions: ['acme'] });
  await root.tenant('acme').createPatient({});
  const plain = await createTestServer({ database, settings: { nativePartitions: 0 } });
  t.teardown(() => plain.stop());
  t.is(await new FhirClient(plain.url).tenant('acme').count('Patient'), 1);
  const { id } = await plain.bulkhead.partitions.create({ name: 'beta' });
  t.deepEqual(await leavesOf(owner, `p${id}`), []);
});

test('a statement of one partition touches its native partitions alone, among twelve', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `tenant-${index + 1}`);
  const { database } = await openNative(t, { partitions: names });
  const pool = new PostgresPool({ url: database.url, poolSize: 1, connectTimeoutMs: 5_000 });
  t.teardown(() => pool.close());
  const connections = new PostgresConnections(pool, null, 'each time');
  for (const [title, statementFor] of Object.entries(STATEMENTS)) {
    const plan = await explainPostgres(connections, statementFor(7));
    const touched = plan.flatMap((line) => line.match(/ on hfj_\w+/g) ?? []);
    t.true(touched.length > 0, title);
    t.deepEqual(
      touched.filter((leaf) => !leaf.endsWith('_p7')),
      [],
      `${title}\n${plan.join('\n')}`,
    );
  }
});
