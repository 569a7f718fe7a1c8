import test from 'ava';
import { COPY_SQL as POSTGRES_COPY_SQL } from '../../src/storage/sql/postgres/copy-sql.js';
import { MOVE_SQL as POSTGRES_MOVE_SQL } from '../../src/storage/sql/postgres/move-sql.js';
import { REINDEX_SQL as POSTGRES_REINDEX_SQL } from '../../src/storage/sql/postgres/reindex-sql.js';
import { COPY_SQL as SQLITE_COPY_SQL } from '../../src/storage/sql/sqlite/copy-writer.js';
import { MOVE_SQL as SQLITE_MOVE_SQL } from '../../src/storage/sql/sqlite/move-sql.js';
import { REINDEX_SQL as SQLITE_REINDEX_SQL } from '../../src/storage/sql/sqlite/reindex-writer.js';
import { PARAM_SET_SQL as POSTGRES_PARAM_SET_SQL } from '../../src/storage/sql/postgres/param-set-sql.js';
import { PARAM_SET_SQL as SQLITE_PARAM_SET_SQL } from '../../src/storage/sql/sqlite/param-set-writer.js';
import { unscoped } from './sql-aliases.js';

const SOURCES = ['countAfter', 'sizesOfType', 'ofType', 'replacedWithin'] as const;

test('no statement of a reindex, of copies, or of sets of paths, opens a partitioned table without a predicate on the partition', (t) => {
  const statements = [
    ...Object.values(SQLITE_REINDEX_SQL),
    ...Object.values(POSTGRES_REINDEX_SQL),
    ...Object.values(SQLITE_COPY_SQL),
    ...Object.values(POSTGRES_COPY_SQL),
    ...Object.values(SQLITE_PARAM_SET_SQL),
    ...Object.values(POSTGRES_PARAM_SET_SQL),
    ...SOURCES.flatMap((name) => [SQLITE_MOVE_SQL[name], POSTGRES_MOVE_SQL[name]]),
  ];
  for (const sql of statements) t.deepEqual(unscoped(sql), [], sql);
});
