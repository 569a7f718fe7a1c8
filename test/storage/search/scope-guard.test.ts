import test from 'ava';
import type { PartitionScope } from '../../../src/model/partition.js';
import type { SortKey } from '../../../src/storage/search-store.js';
import { PARTITIONED_TABLES, SHARED_TABLES } from '../../../src/storage/sql/tables.js';
import { CASES } from './cases.js';
import * as c from './conditions.js';
import { scopeOf, type SearchDatabase } from './fixtures.js';
import { sample } from './sample.js';

const SORTS: readonly (readonly SortKey[])[] = [
  [],
  [{ by: 'updated', direction: 'descending' }],
  [{ by: 'id', direction: 'ascending' }],
  [{ by: 'index', index: 'token', paths: ['gender', 'code'], direction: 'ascending' }],
  [
    { by: 'index', index: 'date', paths: ['birthDate', 'effective'], direction: 'descending' },
    { by: 'updated', direction: 'ascending' },
  ],
];

const SCOPES: readonly PartitionScope[] = [
  scopeOf(1),
  scopeOf(1, 2),
  scopeOf(...Array.from({ length: 30 }, (_, index) => index + 1)),
];

/** They stand in another database, perhaps. */
const DICTIONARIES = new RegExp(`\\b(?:${SHARED_TABLES.join('|')})\\b`);

/** Every alias of a partitioned table, each time one is opened. */
function aliasesOf(sql: string): string[] {
  const opened = new RegExp(`\\b(?:${PARTITIONED_TABLES.join('|')})\\b(?: as (\\w+))?`, 'g');
  return [...sql.matchAll(opened)].map(([text, alias]) => alias ?? text);
}

/** A list of ids in one value. */
const LIST = String.raw`in \(select value from json_each\(|= any \(translate\(`;

/** PostgreSQL numbers its places, SQLite does not. */
function plain(sql: string): string {
  return sql.replaceAll(/\$\d+/g, '?');
}

function isScoped(sql: string, alias: string): boolean {
  return new RegExp(`\\b${alias}\\.PARTITION_ID (= \\?|in \\([?, ]+\\)|${LIST})`).test(plain(sql));
}

async function runAll(db: SearchDatabase, scope: PartitionScope): Promise<void> {
  for (const [, plan] of CASES) {
    for (const sort of SORTS) {
      const [first] = await db.store.page(scope, { ...plan, sort }, { count: 1 });
      if (first) await db.store.page(scope, { ...plan, sort }, { count: 1, after: first.key });
    }
    await db.store.match(scope, plan);
    await db.store.count(scope, plan);
    await db.store.count(scope, plan, 10);
  }
  for (const direction of ['include', 'revinclude'] as const) {
    for (const paths of [['subject'], null]) {
      const query = { direction, sourceType: 'Observation', paths, from: [1, 2], limit: 5 };
      await db.store.linked(scope, { ...query, targetType: null });
      await db.store.linked(scope, { ...query, targetType: 'Patient' });
    }
  }
}

for (const scope of SCOPES) {
  test(`no alias of a partitioned table escapes a scope of ${scope.partitions.length}`, async (t) => {
    const db = sample();
    await runAll(db, scope);
    const statements = [...new Set(db.statements.map((statement) => statement.sql))];
    t.true(statements.length > 100);
    for (const sql of statements) {
      const aliases = aliasesOf(sql);
      t.true(aliases.length > 0, sql);
      t.notRegex(sql, DICTIONARIES);
      for (const alias of aliases) t.true(isScoped(sql, alias), `${alias} in ${sql}`);
      t.is(new Set(aliases).size, aliases.length, `an alias is used twice in ${sql}`);
    }
  });

  test(`only the scope's ids are bound for partitions in a scope of ${scope.partitions.length}`, async (t) => {
    const db = sample();
    await runAll(db, scope);
    const { partitions: stored } = db.stored(scope);
    const bound = stored.length > 8 ? [JSON.stringify(stored)] : stored;
    const opening = new RegExp(`\\.PARTITION_ID (=|in \\([?, ]*|${LIST})\\s*$`);
    for (const statement of db.statements) {
      const sql = plain(statement.sql);
      const before = [...sql.matchAll(/\?/g)].map((match) => sql.slice(0, match.index));
      const partitions = statement.bindings.filter((_, index) => opening.test(before[index]!));
      t.deepEqual(statement.partitions, stored);
      t.true(partitions.length > 0);
      for (const value of partitions) t.true((bound as readonly unknown[]).includes(value), sql);
    }
  });
}

test('the guard sees an alias without a predicate', (t) => {
  const sql =
    'select 1 from HFJ_RESOURCE as r where exists (select 1 from HFJ_RES_LINK as l where l.RES_ID = r.RES_ID) and r.PARTITION_ID = ?';
  t.deepEqual(aliasesOf(sql), ['r', 'l']);
  t.true(isScoped(sql, 'r'));
  t.false(isScoped(sql, 'l'));
});

test('a scope without partitions is refused', async (t) => {
  const db = sample();
  await t.throwsAsync(async () => db.store.page(scopeOf(), c.plan('Patient', c.all()), { count: 1 }), {
    message: /without partitions/,
  });
});
