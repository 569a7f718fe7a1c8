import test from 'ava';
import Database from 'better-sqlite3';
import { statements } from '../../../migrations/0001-resources.js';
import { DATE_END } from '../../../migrations/0006-date-ends.js';
import { DATE_LONG } from '../../../migrations/0010-long-dates.js';
import { SQLITE as PARAM_SETS } from '../../../migrations/0013-param-sets.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { PostgresConnections } from '../../../src/storage/sql/postgres/connections.js';
import { PostgresPool } from '../../../src/storage/sql/postgres/postgres-pool.js';
import { PostgresReader } from '../../../src/storage/sql/postgres/postgres-reader.js';
import {
  postgresSearchDialect,
  sqliteSearchDialect,
  type SearchDialect,
} from '../../../src/storage/sql/search-dialect.js';
import type { SqlReader, SqlStatement } from '../../../src/storage/sql/sql-reader.js';
import { createTestDatabase } from '../../support/test-database.js';
import { storeUnderTest } from '../../support/test-store.js';

/** One row of a partitioned table. */
export interface StoredRow {
  readonly table: string;
  readonly columns: Readonly<Record<string, unknown>>;
}

/** The partitioned tables of the store under test, for one test alone. */
export interface TestRows extends SqlReader {
  readonly dialect: SearchDialect;
  /** Added to every partition of the test. */
  readonly firstPartition: number;
  insert(rows: readonly StoredRow[]): Promise<void>;
  /** The plan of a statement, line by line. */
  explain(statement: SqlStatement): Promise<readonly string[]>;
}

/** What a test may write to and search. */
export function openRows(): TestRows {
  return storeUnderTest() === 'sqlite' ? new SqliteRows() : new PostgresRows();
}

/** A database in memory. */
class SqliteRows implements TestRows {
  readonly dialect = sqliteSearchDialect();
  readonly firstPartition = 0;
  private readonly db = new Database(':memory:');

  constructor() {
    for (const statement of [...statements, DATE_END, DATE_LONG, ...PARAM_SETS]) this.db.exec(statement);
  }

  async insert(rows: readonly StoredRow[]): Promise<void> {
    for (const { table, columns } of rows) {
      const names = Object.keys(columns);
      const places = names.map(() => '?').join(', ');
      this.db
        .prepare(`insert into ${table} (${names.join(', ')}) values (${places})`)
        .run(Object.values(columns));
    }
  }

  async all({ sql, bindings }: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    return this.db.prepare(sql).raw().all(bindings) as unknown[][];
  }

  async explain({ sql, bindings }: SqlStatement): Promise<readonly string[]> {
    const rows = this.db.prepare(`explain query plan ${sql}`).all(bindings) as { detail: string }[];
    return rows.map((row) => row.detail);
  }
}

/** Room for the partitions of one test. */
const PARTITIONS_OF_A_TEST = 1_000;
const TIMEOUT_MS = 30_000;

let rooms = 0;

/** Partitions of its own in a database that all tests of the file share, behind row-level security. */
class PostgresRows implements TestRows {
  readonly dialect = postgresSearchDialect();
  readonly firstPartition = PARTITIONS_OF_A_TEST * ++rooms;

  async insert(rows: readonly StoredRow[]): Promise<void> {
    const { connections } = await sharedDatabase();
    for (const [partition, own] of Map.groupBy(rows, ({ columns }) => columns['PARTITION_ID'])) {
      const tables = [...Map.groupBy(own, ({ table }) => table)];
      const inserts = tables.map(([table, list]) => ({
        // What is left out of all rows has its default.
        text: `insert into ${table} (${namesOf(list)}) select ${namesOf(list)}
          from jsonb_populate_recordset(null::${table}, $1::jsonb)`,
        values: [JSON.stringify(list.map(({ columns }) => lowerCase(columns)))],
      }));
      await connections.write([partition as PartitionId], inserts);
    }
  }

  async all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    const { reader } = await sharedDatabase();
    return reader.all(statement);
  }

  async explain(statement: SqlStatement): Promise<readonly string[]> {
    const { connections } = await sharedDatabase();
    return explainPostgres(connections, statement);
  }
}

/** The plan that the statement would be run with: prepared, and for its values only where it says so. */
export async function explainPostgres(
  connections: PostgresConnections,
  { sql, bindings, partitions, plan }: SqlStatement,
): Promise<readonly string[]> {
  const values = bindings.map((value) =>
    value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`,
  );
  const steps = [
    `prepare explained as ${sql}`,
    `explain (analyze, buffers, timing off, summary off) execute explained (${values.join(', ')})`,
    'deallocate explained',
  ];
  const options = plan === 'generic' ? {} : { timeoutMs: TIMEOUT_MS, isFixed: plan === 'fixed' };
  const results = await connections.read(
    partitions,
    steps.map((text) => ({ text, values: [] })),
    options,
  );
  return (results[1]?.rows ?? []).map(([line]) => String(line));
}

interface SharedDatabase {
  readonly connections: PostgresConnections;
  readonly reader: PostgresReader;
  readonly close: () => Promise<void>;
}

let shared: Promise<SharedDatabase> | undefined;

function sharedDatabase(): Promise<SharedDatabase> {
  shared ??= openShared();
  return shared;
}

async function openShared(): Promise<SharedDatabase> {
  const database = await createTestDatabase();
  const pool = new PostgresPool({ url: database.url, poolSize: 2, connectTimeoutMs: TIMEOUT_MS });
  const connections = new PostgresConnections(pool);
  const close = async (): Promise<void> => {
    await pool.close();
    await database.drop();
  };
  return { connections, reader: new PostgresReader(connections, TIMEOUT_MS), close };
}

test.after.always('the shared database goes', async () => {
  await (await shared)?.close();
});

/** Columns that one of the rows has, at least. */
function namesOf(rows: readonly StoredRow[]): string {
  return [...new Set(rows.flatMap(({ columns }) => Object.keys(columns)))].join(', ');
}

function lowerCase(columns: StoredRow['columns']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name.toLowerCase(), value]));
}
