import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { PartitionId } from '../../../model/partition.js';
import { prologue } from './prologue.js';
import type { PgScope } from './statement.js';

/** No partition has these ids: they are far from what anybody numbers with. */
const LOOKING = -2_147_483_647 as PartitionId;
const HIDDEN = -2_147_483_646 as PartitionId;
const REFUSED = '42501';
const TIMEOUT_MS = 5_000;

interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Puts a row of two partitions into a table and looks at them as the server would, without any predicate of its own
 * that tells them apart. Everything is rolled back. Answers what of the wall does not hold, in words.
 * @throws pg.DatabaseError where the table cannot be written at all
 */
export async function proveWall(
  client: pg.Client,
  table: string,
  schema: string | null,
): Promise<readonly string[]> {
  await client.query('begin');
  try {
    await client.query(`select set_config('statement_timeout', $1, true)`, [String(TIMEOUT_MS)]);
    const columns = await columnsOf(client, schema === null ? table : `${schema}.${table}`);
    for (const partition of [LOOKING, HIDDEN]) {
      await enter(client, [partition], schema);
      await addRow(client, { table, columns }, partition);
    }
    return await holes(client, { table, columns }, schema);
  } finally {
    await client.query('rollback');
  }
}

interface Rows {
  readonly table: string;
  readonly columns: readonly Column[];
}

async function holes(client: pg.Client, rows: Rows, schema: string | null): Promise<readonly string[]> {
  const found: string[] = [];
  const expect = async (scope: PgScope, count: number, what: string): Promise<void> => {
    await enter(client, scope, schema);
    if ((await seen(client, rows.table)) !== count) found.push(what);
  };
  await expect([LOOKING], 1, 'a partition sees rows of another');
  await expect([LOOKING, 1 as PartitionId], 1, 'a list of partitions sees rows of another');
  await expect([LOOKING, HIDDEN], 2, 'a list of partitions does not see its own rows');
  await expect('none', 0, 'rows are seen without a partition');
  await client.query('reset role');
  const { rows: login } = await client.query<{ mighty: boolean }>(
    'select rolsuper or rolbypassrls as mighty from pg_roles where rolname = current_user',
  );
  if (!login[0]?.mighty && (await seen(client, rows.table)) > 0) found.push('the owner sees rows');
  await enter(client, [LOOKING], schema);
  if (await mayAdd(client, rows)) found.push('a partition writes rows of another');
  return found;
}

/** As the server begins, after whatever was set before. */
async function enter(client: pg.Client, scope: PgScope, schema: string | null): Promise<void> {
  await client.query(
    `select set_config('bulkhead.partition', '', true), set_config('bulkhead.partitions', '', true)`,
  );
  const { text, values } = prologue({ scope, purpose: { kind: 'write' }, schema });
  await client.query(text, [...values]);
}

/** Rows of either partition; the index begins with the partition, so that large tables are no matter. */
async function seen(client: pg.Client, table: string): Promise<number> {
  const { rowCount } = await client.query(`select 1 from ${table} where PARTITION_ID in ($1, $2)`, [
    LOOKING,
    HIDDEN,
  ]);
  return rowCount ?? 0;
}

async function mayAdd(client: pg.Client, rows: Rows): Promise<boolean> {
  try {
    await addRow(client, rows, HIDDEN);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === REFUSED) return false;
    throw error;
  }
}

async function columnsOf(client: pg.Client, table: string): Promise<readonly Column[]> {
  const { rows } = await client.query<Column>(
    `select attname as name, atttypid::regtype::text as type from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> 'partition_id'`,
    [table],
  );
  return rows;
}

async function addRow(client: pg.Client, { table, columns }: Rows, partition: PartitionId): Promise<void> {
  const names = columns.map(({ name }) => name).join(', ');
  const places = columns.map((_, index) => `$${index + 2}`).join(', ');
  await client.query(`insert into ${table} (PARTITION_ID, ${names}) values ($1, ${places})`, [
    partition,
    ...columns.map(({ type }) => sampleOf(type)),
  ]);
}

/** Some keys are of the whole server, so that no two rows may be alike. */
function sampleOf(type: string): string | number | Buffer | null {
  switch (type) {
    case 'text':
      return randomBytes(16).toString('hex');
    case 'bytea':
      return Buffer.alloc(1);
    case 'date':
      return null;
    default:
      return -1 - Math.floor(Math.random() * 1_000_000);
  }
}
