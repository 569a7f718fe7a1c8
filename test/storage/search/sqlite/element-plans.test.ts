import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Condition } from '../../../../src/storage/search-store.js';
import { sqliteSearchDialect } from '../../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../../src/storage/sql/search-query.js';
import { migrateFile } from '../../../../src/storage/sql/sqlite/migrate-file.js';
import { openReader, type SqliteDatabase } from '../../../../src/storage/sql/sqlite/open.js';
import * as c from '../conditions.js';
import { scopeOf } from '../fixtures.js';
import { SKEWED_NAMES } from '../postgres/skewed-data.js';

const TYPE = 'Observation';
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

const elements = c.element(
  [c.token(TYPE, 'part code', c.code('e1', 'urn:codes'))],
  [c.heavier('part value')],
);

function planOf(where: Condition, partitions: readonly number[] = [1]): readonly string[] {
  const search = { scope: scopeOf(...partitions), systemIds: SKEWED_NAMES.systemId };
  const statement = queries.page(search, c.plan(TYPE, where), { count: 50 });
  if (statement === null) throw new Error('Nothing can match.');
  const steps = db.prepare(`explain query plan ${statement.sql}`).all(...statement.bindings);
  return (steps as { detail: string }[]).map(({ detail }) => detail);
}

const BY_VALUE =
  /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\?\)/;
const BY_ELEMENT =
  /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\? AND SP_ELEMENT=\?/;
const BY_RESOURCE = /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/;

for (const partitions of [[1], [1, 2]]) {
  test(`elements are found by their most telling value, in ${partitions.length} partitions`, (t) => {
    const steps = planOf(elements, partitions);
    t.regex(steps.find((step) => step.includes(' t')) ?? '', BY_VALUE, steps.join('\n'));
    t.true(
      steps.some((step) => BY_ELEMENT.test(step)),
      steps.join('\n'),
    );
    t.false(
      steps.some((step) => /SCAN t\d/.test(step)),
      steps.join('\n'),
    );
  });
}

test('elements of resources that something else found are sought by the resource', (t) => {
  const steps = planOf(c.all(c.token(TYPE, 'code', c.code('c29', 'urn:codes')), c.not(elements)));
  t.true(
    steps.some((step) => BY_RESOURCE.test(step)),
    steps.join('\n'),
  );
  // That one is the token.
  t.is(steps.filter((step) => BY_VALUE.test(step)).length, 1, steps.join('\n'));
});
