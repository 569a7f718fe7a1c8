import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { SearchPlan } from '../../../../src/storage/search-store.js';
import { sqliteSearchDialect } from '../../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../../src/storage/sql/search-query.js';
import { migrateFile } from '../../../../src/storage/sql/sqlite/migrate-file.js';
import { openReader, type SqliteDatabase } from '../../../../src/storage/sql/sqlite/open.js';
import { scopeOf } from '../fixtures.js';
import { SKEWED_NAMES } from '../postgres/skewed-data.js';

const queries = new SearchQueries(SKEWED_NAMES, sqliteSearchDialect());
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-plans-'));
const file = join(folder, 'plans.db');
let db: SqliteDatabase;

test.before(async () => {
  await migrateFile(file);
  db = openReader(file);
});
test.after.always(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const EVERY: SearchPlan = { type: ['Patient', 'Observation'], where: { kind: 'all', of: [] }, sort: [] };

function stepsOf(plan: SearchPlan): string {
  const search = { scope: scopeOf(1), systemIds: SKEWED_NAMES.systemId };
  const statement = queries.page(search, plan, { count: 50 });
  if (statement === null) throw new Error('Nothing can match.');
  const steps = db.prepare(`explain query plan ${statement.sql}`).all(...statement.bindings);
  return (steps as { detail: string }[]).map(({ detail }) => detail).join('\n');
}

test('resources of several types come in the order of one key, without sorting', (t) => {
  const steps = stepsOf(EVERY);
  t.regex(steps, /USING INDEX RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\?\)/);
  t.notRegex(steps, /TEMP B-TREE/);
});

test('the newest of several types are the newest of each, by one walk for each', (t) => {
  const steps = stepsOf({ ...EVERY, sort: [{ by: 'updated', direction: 'descending' }] });
  t.regex(steps, /SEARCH x\d USING INDEX RESOURCE_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\?\)/);
  t.regex(steps, /SEARCH r\d USING INTEGER PRIMARY KEY/);
});
