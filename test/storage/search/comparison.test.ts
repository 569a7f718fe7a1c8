import test from 'ava';
import type { Comparison, SearchPlan } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase } from './fixtures.js';

const COMPARISONS: readonly Comparison[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

type Range = readonly [low: number, high: number];

/** Every range inside of 0 to 5. */
const RANGES: readonly Range[] = [0, 1, 2, 3, 4, 5].flatMap((low) =>
  [0, 1, 2, 3, 4, 5].filter((high) => high >= low).map((high): Range => [low, high]),
);

/** The words of https://hl7.org/fhir/R4/search.html#prefix, on sets of points. */
function holds(comparison: Comparison, row: readonly number[], search: readonly number[]): boolean {
  const first = Math.min(...search);
  const last = Math.max(...search);
  const contained = row.every((point) => search.includes(point));
  switch (comparison) {
    case 'eq':
      return contained;
    case 'ne':
      return !contained;
    case 'gt':
      return row.some((point) => point > last);
    case 'lt':
      return row.some((point) => point < first);
    case 'ge':
      return contained || row.some((point) => point > last);
    case 'le':
      return contained || row.some((point) => point < first);
    case 'sa':
      return row.every((point) => point > last);
    case 'eb':
      return row.every((point) => point < first);
    case 'ap':
      return row.some((point) => search.includes(point));
  }
}

function points([low, high]: Range): number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

async function idsOf(db: SearchDatabase, plan: SearchPlan): Promise<string[]> {
  const rows = await db.store.page(scopeOf(1), plan, { count: 100 });
  return rows.map((row) => row.id).toSorted();
}

for (const comparison of COMPARISONS) {
  test(`${comparison} compares every range of dates with every other as the specification words it`, async (t) => {
    const db = new SearchDatabase();
    for (const range of RANGES)
      db.add(1, `Encounter/${range.join('-')}`, [db.date('period', ...range), db.token('all', 'x')]);
    for (const [low, high] of RANGES) {
      const expected = RANGES.filter((row) => holds(comparison, points(row), points([low, high])));
      const date = c.date('Encounter', 'period', { comparison, low, high });
      const ids = expected.map((row) => row.join('-')).toSorted();
      t.deepEqual(await idsOf(db, c.plan('Encounter', date)), ids, `${low}-${high}`);
      const beside = c.all(c.token('Encounter', 'all', c.code('x')), date);
      t.deepEqual(await idsOf(db, c.plan('Encounter', beside)), ids, `${low}-${high} beside a token`);
    }
  });

  test(`${comparison} compares the time of the last update`, async (t) => {
    const db = new SearchDatabase();
    // The fixture's clock counts from one.
    for (const at of [1, 2, 3, 4, 5]) db.add(1, `Encounter/${at}`);
    for (const [low, high] of RANGES) {
      const expected = [1, 2, 3, 4, 5].filter((at) => holds(comparison, [at], points([low, high])));
      t.deepEqual(
        await idsOf(db, c.plan('Encounter', c.updated({ comparison, low, high }))),
        expected.map(String),
      );
    }
  });

  test(`${comparison} compares numbers: equality by precision, order by value`, async (t) => {
    const db = new SearchDatabase();
    const stored = Array.from({ length: 21 }, (_, index) => index / 4);
    for (const value of stored) db.add(1, `Risk/${value}`, [['number', 'p', { SP_VALUE: value }]]);
    const [value, low, high] = [2, 1.5, 2.5];
    const tests: Readonly<Record<Comparison, (row: number) => boolean>> = {
      eq: (row) => row >= low && row < high,
      ne: (row) => row < low || row >= high,
      gt: (row) => row > value,
      sa: (row) => row > value,
      lt: (row) => row < value,
      eb: (row) => row < value,
      ge: (row) => row >= value,
      le: (row) => row <= value,
      ap: (row) => row >= low && row <= high,
    };
    const expected = stored.filter(tests[comparison]).map(String).toSorted();
    t.deepEqual(
      await idsOf(db, c.plan('Risk', c.number('Risk', 'p', { comparison, value, low, high }))),
      expected,
    );
  });
}
