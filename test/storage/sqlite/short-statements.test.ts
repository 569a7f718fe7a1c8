import Database from 'better-sqlite3';
import test from 'ava';
import type { PartitionId } from '../../../src/model/partition.js';
import type { SqlStatement } from '../../../src/storage/sql/sql-reader.js';
import type { SqliteDatabase } from '../../../src/storage/sql/sqlite/open.js';
import type { ReaderPool } from '../../../src/storage/sql/sqlite/reader-pool.js';
import { SqliteReader } from '../../../src/storage/sql/sqlite/sqlite-reader.js';

const MOST = 3;

/** A reader of a table with so many rows, and the statements that left the main thread. */
function openReader(rows: number): { reader: SqliteReader; left: string[] } {
  const db = new Database(':memory:');
  db.exec('create table NUMBERS (N integer primary key)');
  for (let n = 0; n < rows; n++) db.prepare('insert into NUMBERS values (?)').run(n);
  const left: string[] = [];
  const pool: Pick<ReaderPool, 'all'> = {
    all: async (_file, { sql }) => {
      left.push(sql);
      return [];
    },
  };
  return { reader: new SqliteReader(db as unknown as SqliteDatabase, pool as ReaderPool), left };
}

const statement: SqlStatement = {
  sql: 'select N from NUMBERS where N >= ?',
  bindings: [0],
  cost: 'expensive',
  plan: 'custom',
  partitions: [1 as PartitionId],
};
const probed: SqlStatement = {
  ...statement,
  probe: {
    sql: 'select count(*) from (select 1 from NUMBERS where N >= ? limit ?)',
    bindings: [0, MOST],
    most: MOST,
  },
};

test('what looks at few rows this time stays on the main thread', async (t) => {
  const { reader, left } = openReader(MOST - 1);
  t.deepEqual(await reader.all(probed), [[0], [1]]);
  t.deepEqual(left, []);
});

test('what looks at more rows than that leaves it', async (t) => {
  const { reader, left } = openReader(MOST);
  await reader.all(probed);
  t.deepEqual(left, [statement.sql]);
});

test('what cannot tell beforehand leaves it too', async (t) => {
  const { reader, left } = openReader(0);
  await reader.all(statement);
  t.deepEqual(left, [statement.sql]);
});
