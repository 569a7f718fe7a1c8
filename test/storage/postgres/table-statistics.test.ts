import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Client } from 'pg';
import { PostgresConnections } from '../../../src/storage/sql/postgres/connections.js';
import { READ_SQL } from '../../../src/storage/sql/postgres/read-sql.js';
import { TableStatistics } from '../../../src/storage/sql/postgres/table-statistics.js';
import { INDEX_TABLES } from '../../../src/storage/sql/tables.js';
import { FhirClient } from '../../contract/support/fhir-client.js';
import { createEmptyDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer, type StoreTestOptions } from '../../support/test-server.js';
import { connectTo, openConnections, openDatabase, OWN } from './fixtures.js';

const TABLES = ['HFJ_RESOURCE', ...INDEX_TABLES];
const PATIENTS = 2_000;
const [LINK_PATH, NAME_PATH] = [1, 2];

/** Patients with names, and as many observations of them. */
const FILL = [
  `insert into HFJ_RESOURCE (RES_ID, PARTITION_ID, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED)
    select n, ${OWN}, 1 + n / (${PATIENTS} + 1), 'r' || n, 1, n from generate_series(1, 2 * ${PATIENTS}) n`,
  `insert into HFJ_SPIDX_STRING (PARTITION_ID, PARAM_ID, SP_NORM, SP_EXACT, RES_ID)
    select ${OWN}, ${NAME_PATH}, 'name' || n, 'Name' || n, n from generate_series(1, ${PATIENTS}) n`,
  `insert into HFJ_RES_LINK (PARTITION_ID, PARAM_ID, TARGET_RES_ID, TARGET_TYPE_ID, TARGET_URL, RES_ID)
    select ${OWN}, ${LINK_PATH}, n, 1, '', ${PATIENTS} + n from generate_series(1, ${PATIENTS}) n`,
];
const FILLED = ['hfj_res_link', 'hfj_resource', 'hfj_spidx_string'];

/** Observations by the name of their patient. */
const CHAIN = `select l.RES_ID from HFJ_RES_LINK l where l.PARTITION_ID = $1 and l.PARAM_ID = ${LINK_PATH}
  and l.TARGET_URL = '' and l.TARGET_RES_ID in (select s.RES_ID from HFJ_SPIDX_STRING s
    where s.PARTITION_ID = $1 and s.PARAM_ID = ${NAME_PATH} and s.SP_NORM >= $2 and s.SP_NORM < $3)`;

interface Statistics {
  readonly statistics: TableStatistics;
  readonly connections: PostgresConnections;
  readonly said: { readonly info: string[]; readonly warn: string[] };
}

/** Nothing but what is tested looks at the tables. */
async function withoutAutovacuum(owner: Client, schema = 'public'): Promise<void> {
  for (const table of TABLES) {
    await owner.query(`alter table ${schema}.${table} set (autovacuum_enabled = false)`);
  }
}

async function openFilled(t: ExecutionContext): Promise<{ database: TestDatabase; owner: Client }> {
  const database = await openDatabase(t);
  const owner = await connectTo(t, database.url);
  await withoutAutovacuum(owner);
  return { database, owner };
}

function watch(t: ExecutionContext, url: string): Statistics {
  const connections = openConnections(t, url);
  const said = { info: [] as string[], warn: [] as string[] };
  const statistics = new TableStatistics(connections, {
    info: (message) => said.info.push(message),
    warn: (message) => said.warn.push(message),
  });
  t.teardown(() => statistics.close());
  return { statistics, connections, said };
}

async function fill({ connections }: Statistics): Promise<void> {
  await connections.write(
    [OWN],
    FILL.map((text) => ({ text, values: [] })),
  );
}

/** How often each table was analyzed; those that never were are left out. */
async function analyses(owner: Client): Promise<Readonly<Record<string, number>>> {
  const { rows } = await owner.query<{ name: string; times: number }>(
    `select relname as name, analyze_count::integer as times from pg_stat_user_tables
      where analyze_count > 0 order by relname`,
  );
  return Object.fromEntries(rows.map(({ name, times }) => [name, times]));
}

const once = (tables: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(tables.map((table) => [table, 1]));

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(20)) if (await isSo()) return;
}

async function explainKept(
  { connections }: Statistics,
  name: string,
  values: readonly (string | number)[],
): Promise<string> {
  const given = values.map((value) => `'${value}'`).join(', ');
  const text = `explain (analyze, buffers, timing off, summary off) execute ${name} (${given})`;
  const [result] = await connections.read([OWN], [{ text, values: [] }]);
  return (result?.rows ?? []).map(([line]) => String(line)).join('\n');
}

test('tables that have grown are analyzed once, and plans that were kept are made anew', async (t) => {
  const { database, owner } = await openFilled(t);
  const own = watch(t, database.url);
  const keep = { text: `prepare kept (integer, text, text) as ${CHAIN}`, values: [] };
  await own.connections.read([OWN], [keep]);
  const values = [OWN, 'name7', 'name8'];
  await explainKept(own, 'kept', values);
  await fill(own);
  own.statistics.note(999);
  t.deepEqual(await analyses(owner), {});
  const before = await explainKept(own, 'kept', values);
  own.statistics.note(1);
  await until(() => own.said.info.length > 0);
  t.deepEqual(await analyses(owner), once(FILLED));
  const after = await explainKept(own, 'kept', values);
  t.not(after.replaceAll(/\(actual.*\)|Buffers.*/g, ''), before.replaceAll(/\(actual.*\)|Buffers.*/g, ''));
  t.regex(after, /Index Cond:.*target_res_id = s\.res_id/);
  own.statistics.note(1_000);
  await own.statistics.close();
  t.deepEqual(await analyses(owner), once(FILLED));
  t.deepEqual(own.said.warn, []);
});

test('a resource is read by the index of ids, also by a plan that was made for an empty table', async (t) => {
  const { database } = await openFilled(t);
  const own = watch(t, database.url);
  const read = [
    { text: `prepare one (integer, integer, text) as ${READ_SQL.readOne}`, values: [] },
    { text: `explain execute one (${OWN}, 1, 'r1')`, values: [] },
  ];
  const [, empty] = await own.connections.read([OWN], read, { byKey: true });
  t.regex(String(empty?.rows), /using resource_key/);
  await fill(own);
  const [full] = await own.connections.read([OWN], read.slice(1), { byKey: true });
  t.regex(String(full?.rows), /using resource_key/);
});

test('two instances at once analyze each table once', async (t) => {
  const { database, owner } = await openFilled(t);
  const both = [watch(t, database.url), watch(t, database.url)];
  await fill(both[0]!);
  await until(async () => {
    for (const { statistics } of both) statistics.note(1_000);
    return Object.keys(await analyses(owner)).length === FILLED.length;
  });
  for (const { statistics } of both) await statistics.close();
  t.deepEqual(await analyses(owner), once(FILLED));
});

test('a table that is in use is left, and looked at again soon', async (t) => {
  const { database, owner } = await openFilled(t);
  const own = watch(t, database.url);
  await fill(own);
  const other = await connectTo(t, database.url);
  await other.query('begin');
  await other.query('lock table HFJ_RES_LINK in share update exclusive mode');
  own.statistics.note(1_000);
  await until(() => own.said.info.length > 0);
  t.deepEqual(await analyses(owner), once(FILLED.slice(1)));
  await other.query('rollback');
  own.statistics.note(1_000);
  await until(() => own.said.info.length > 1);
  t.deepEqual(await analyses(owner), once(FILLED));
  t.deepEqual(own.said.warn, []);
});

test('what fails is said once, and nobody else hears of it', async (t) => {
  const { database } = await openFilled(t);
  const own = watch(t, `${database.url}_gone`);
  own.statistics.note(1_000);
  await until(() => own.said.warn.length > 0);
  await pause(0);
  own.statistics.note(10_000);
  await own.statistics.close();
  t.is(own.said.warn.length, 1);
  t.deepEqual(own.said.info, []);
});

/** Patients and observations of them, in transactions. */
async function load(client: FhirClient): Promise<void> {
  for (let bundle = 0; bundle < 2; bundle++) {
    const entry = Array.from({ length: 300 }, (_, number) => {
      const id = `p${bundle}-${number}`;
      const subject = { reference: `Patient/${id}` };
      return [
        {
          resource: { resourceType: 'Patient', id, name: [{ family: `Family${id}` }] },
          request: { method: 'PUT', url: `Patient/${id}` },
        },
        {
          resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject },
          request: { method: 'POST', url: 'Observation' },
        },
      ];
    }).flat();
    await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  }
}

interface Place {
  readonly settings: NonNullable<StoreTestOptions['settings']>;
  /** Where the tables of the partition are. */
  readonly urlOf: (database: TestDatabase) => string;
  readonly schema: string;
  readonly tables: readonly string[];
}

const own = (database: TestDatabase): string => database.url;
const PLACES: Readonly<Record<string, Place>> = {
  'the main database': {
    settings: { placement: 'shared' },
    urlOf: own,
    schema: 'public',
    tables: ['hfj_resource'],
  },
  'a schema of its own': {
    settings: { placement: 'schema' },
    urlOf: own,
    schema: 'bulkhead_p1',
    tables: ['hfj_resource'],
  },
  'a database of its own': {
    settings: { placement: 'database' },
    urlOf: ({ url }) => `${url}_p1`,
    schema: 'public',
    tables: ['hfj_resource'],
  },
  'native partitions, and the tables above them': {
    settings: { placement: 'shared', nativePartitions: 2 },
    urlOf: own,
    schema: 'public',
    tables: ['hfj_resource', 'hfj_resource_p1'],
  },
};

for (const [name, { settings, urlOf, schema, tables }] of Object.entries(PLACES)) {
  test(`a first load brings statistics: ${name}`, async (t) => {
    const database = await createEmptyDatabase();
    t.teardown(() => database.drop());
    const server = await createTestServer({ database, settings, partitions: ['acme'] });
    t.teardown(() => server.stop());
    const client = new FhirClient(server.url).tenant('acme');
    await load(client);
    const owner = await connectTo(t, urlOf(database));
    const known = async (): Promise<number> => {
      const { rows } = await owner.query<{ count: number }>(
        `select count(*)::integer from pg_class c join pg_stat_user_tables s on s.relid = c.oid
          where s.schemaname = $1 and c.relname = any ($2) and c.reltuples >= 1000 and s.analyze_count = 1`,
        [schema, tables],
      );
      return rows[0]!.count;
    };
    await until(async () => (await known()) === tables.length);
    t.is(await known(), tables.length);
    t.is(await client.count('Observation?subject:Patient.family=Familyp1-71'), 1);
    t.is(await client.count('Patient?family=Familyp0-121&_has:Observation:subject:status=final'), 1);
  });
}
