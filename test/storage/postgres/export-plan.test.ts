import test, { type ExecutionContext } from 'ava';
import type { PartitionId } from '../../../src/model/partition.js';
import type { PostgresConnections } from '../../../src/storage/sql/postgres/connections.js';
import { listSql, walkSql } from '../../../src/storage/sql/postgres/export-sql.js';
import type { PgStatement } from '../../../src/storage/sql/postgres/statement.js';
import { storeUnderTest } from '../../support/test-store.js';
import { FOREIGN, openConnections, openDatabase, OWN } from './fixtures.js';

/** Plans of what exports read, where a partition has many resources, and many versions that were replaced. */
const ROWS = 4_000;
const TYPE = 1;
const postgres = storeUnderTest() === 'postgres' ? test : test.skip;

function statementsOf(partition: PartitionId): readonly PgStatement[] {
  const base = Number(partition) * 1_000_000;
  const values = `${partition}, ${TYPE}, 'id' || n, n, repeat('x', 500)`;
  return [
    `insert into HFJ_RESOURCE (RES_ID, RES_VER, PARTITION_ID, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_TEXT)
      select ${base} + n, 2, ${values} from generate_series(1, ${ROWS}) n`,
    `insert into HFJ_RES_VER (RES_ID, RES_VER, PARTITION_ID, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_TEXT)
      select ${base} + n, 1, ${values} from generate_series(1, ${ROWS}) n`,
  ].map((text) => ({ text, values: [] }));
}

async function openFilled(t: ExecutionContext): Promise<PostgresConnections> {
  const database = await openDatabase(t);
  const connections = openConnections(t, database.url);
  for (const partition of [OWN, FOREIGN]) {
    await connections.write([partition], statementsOf(partition));
  }
  return connections;
}

/** The plan of what a COPY copies, as it was run. */
async function planOf(connections: PostgresConnections, copy: string): Promise<string> {
  const query = /^copy \(([^]*)\) to stdout \(format binary\)$/.exec(copy)?.[1] ?? '';
  const text = `explain (analyze, buffers off, timing off, summary off) ${query}`;
  const [result] = await connections.read([OWN], [{ text, values: [] }]);
  return (result?.rows ?? []).map(([line]) => String(line)).join('\n');
}

postgres(
  'a walk goes along one index of each table, sorts nothing and stops where the page is full',
  async (t) => {
    const connections = await openFilled(t);
    const range = {
      partition: OWN,
      typeId: TYPE,
      updated: 10,
      rowId: 0,
      until: ROWS,
      rows: 100,
      bytes: 1_000_000,
    };
    for (const isOfDeletions of [false, true]) {
      const plan = await planOf(connections, walkSql({ ...range, isOfDeletions }));
      t.regex(plan, /Index Scan using resource_updated on hfj_resource/i, plan);
      t.regex(plan, /Index Scan using version_updated on hfj_res_ver/i, plan);
      t.notRegex(plan, /Seq Scan|Sort Method|Bitmap/, plan);
      const counts = [...plan.matchAll(/actual rows=([\d.]+)/g)].map(([, rows]) => Number(rows));
      t.true(Math.max(...counts) <= 101, plan);
    }
  },
);

postgres('versions of single resources are found by their keys', async (t) => {
  const connections = await openFilled(t);
  const rowIds = Array.from({ length: 50 }, (_, index) => 1_000_000 + index * 7);
  const copy = listSql({ partition: OWN, typeId: TYPE, until: ROWS, rows: 51, bytes: 1_000_000 }, rowIds);
  const plan = await planOf(connections, copy);
  t.notRegex(plan, /Seq Scan|Bitmap|using \w+_updated/, plan);
  t.regex(plan, /Index Scan using hfj_res_ver_pkey/i, plan);
});

postgres(
  'versions are found so too in a partition that is new to the planner, however many they are',
  async (t) => {
    const database = await openDatabase(t);
    const connections = openConnections(t, database.url);
    await connections.write([FOREIGN], statementsOf(FOREIGN));
    await connections.pool.asOwner((client) => client.query('analyze HFJ_RESOURCE, HFJ_RES_VER'));
    await connections.write([OWN], statementsOf(OWN));
    const rowIds = Array.from({ length: 2_000 }, (_, index) => 1_000_001 + index);
    const limit = { rows: rowIds.length + 1, bytes: 10_000_000 };
    const copy = listSql({ partition: OWN, typeId: TYPE, until: ROWS, ...limit }, rowIds);
    const plan = await planOf(connections, copy);
    t.notRegex(plan, /Seq Scan|Bitmap|using \w+_updated|Rows Removed by Join Filter/, plan);
    t.regex(plan, /Index Scan using hfj_resource_pkey/i, plan);
    t.regex(plan, /Index Scan using hfj_res_ver_pkey/i, plan);
  },
);
