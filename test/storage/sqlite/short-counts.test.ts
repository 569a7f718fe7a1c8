import test from 'ava';
import { ShortCounts } from '../../../src/storage/sql/short-counts.js';
import type { SqlStatement } from '../../../src/storage/sql/sql-reader.js';

const COUNT: SqlStatement = {
  sql: 'select count(*) from HFJ_SPIDX_TOKEN where PARTITION_ID = ? and SP_VALUE = ?',
  bindings: [1, 'a'],
  cost: 'expensive',
  plan: 'fixed',
  partitions: [],
};

test('a count that was short is made at once, and that of other values is not', (t) => {
  const counts = new ShortCounts();
  t.is(counts.asKnown(COUNT).cost, 'expensive');
  counts.note(COUNT, 1_300);
  t.is(counts.asKnown({ ...COUNT }).cost, 'cheap');
  for (const bindings of [
    [2, 'a'],
    [1, 'b'],
  ])
    t.is(counts.asKnown({ ...COUNT, bindings }).cost, 'expensive');
});

test('a count that has grown long is not made at once again', (t) => {
  const counts = new ShortCounts();
  counts.note(COUNT, 9_999);
  counts.note(COUNT, 10_000);
  t.is(counts.asKnown(COUNT).cost, 'expensive');
});

test('what looks at more than it counts is never short', (t) => {
  const counts = new ShortCounts();
  const custom = { ...COUNT, plan: 'custom' } as const;
  counts.note(custom, 1);
  t.is(counts.asKnown(custom).cost, 'expensive');
});
