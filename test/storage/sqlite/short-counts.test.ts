import test from 'ava';
import { SqlSearchStore } from '../../../src/storage/sql/search-store.js';
import { ShortCounts } from '../../../src/storage/sql/short-counts.js';
import type { SqlReader, SqlStatement } from '../../../src/storage/sql/sql-reader.js';
import * as c from '../search/conditions.js';
import { scopeOf } from '../search/fixtures.js';
import { SKEWED_NAMES } from '../search/postgres/skewed-data.js';

const COUNT: SqlStatement = {
  sql: 'select count(*) from HFJ_SPIDX_TOKEN where PARTITION_ID = ? and SP_VALUE = ?',
  bindings: [1, 'a'],
  cost: 'cheap',
  plan: 'generic',
  partitions: [],
};

test('a count that was short is known, and that of another partition or value is not', (t) => {
  const counts = new ShortCounts();
  t.false(counts.has(COUNT));
  counts.note(COUNT, 1_300);
  t.true(counts.has({ ...COUNT }));
  for (const bindings of [
    [2, 'a'],
    [1, 'b'],
  ])
    t.false(counts.has({ ...COUNT, bindings }));
});

test('a count that has grown long is not short any more', (t) => {
  const counts = new ShortCounts();
  counts.note(COUNT, 9_999);
  counts.note(COUNT, 10_000);
  t.false(counts.has(COUNT));
});

const scope = scopeOf(1);
const frequent = c.token('Observation', 'code', c.code('c0', 'urn:codes'));
const early = c.date('Observation', 'effective', { comparison: 'ge', low: 0, high: 0 });

/** A store over so many matches, and the costs that its statements were run with. */
function storeOf(matches: number) {
  const costs: string[] = [];
  const reader: SqlReader = {
    all: async ({ sql, cost }) => {
      costs.push(cost);
      return [[sql.includes('limit') ? Math.min(matches, 250) : matches]];
    },
  };
  return { store: new SqlSearchStore(reader, SKEWED_NAMES), costs };
}

test('a count along one key leaves the thread once, and not again while it is short', async (t) => {
  const { store, costs } = storeOf(1_300);
  for (const _ of [1, 2]) t.is(await store.count(scope, c.plan('Observation', frequent)), 1_300);
  t.deepEqual(costs, ['cheap', 'expensive', 'cheap']);
});

test('a few are counted by the first statement', async (t) => {
  const { store, costs } = storeOf(249);
  for (const _ of [1, 2]) t.is(await store.count(scope, c.plan('Observation', frequent)), 249);
  t.deepEqual(costs, ['cheap', 'cheap']);
});

test('a count that looks at more than it counts leaves the thread each time', async (t) => {
  const { store, costs } = storeOf(3);
  for (const _ of [1, 2]) t.is(await store.count(scope, c.plan('Observation', c.all(frequent, early))), 3);
  t.deepEqual(costs, ['expensive', 'expensive']);
});
