import test from 'ava';
import { codeOf, projectFiles } from './project.js';

/** What writes rows of index tables, or links: on SQLite each row, on PostgreSQL lists of them. */
const WRITES = /\bVALUE_SQL\b|\binsertLink\b|\baddLink\b|\bvalueArrays\(|\bMOVE_SQL\.addLinks\b/;
/** What writes which paths a resource has rows on. */
const KEEPS_SETS = /\bParamSetWriter\b|\bsetParams\b|\bparamSetArrays\b/;

/** What only holds the SQL. */
const SQL: ReadonlySet<string> = new Set([
  'src/storage/sql/sqlite/statements.ts',
  'src/storage/sql/sqlite/move-sql.ts',
]);

test('whoever writes index rows writes which paths there are rows on', (t) => {
  const writers = projectFiles('src/storage/sql/**/*.ts')
    .map(({ path, text }) => ({ path, code: codeOf(text) }))
    .filter(({ path, code }) => WRITES.test(code) && !SQL.has(path));
  t.true(writers.length >= 6, writers.map(({ path }) => path).join());
  t.deepEqual(
    writers.flatMap(({ path, code }) => (KEEPS_SETS.test(code) ? [] : [path])),
    [],
  );
});
