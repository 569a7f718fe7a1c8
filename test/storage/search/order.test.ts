import test from 'ava';
import type { RowKey, SearchPlan, SortKey } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase } from './fixtures.js';

const by = (index: 'string' | 'date' | 'token', path: string, direction: SortKey['direction']): SortKey => ({
  by: 'index',
  index,
  paths: [path],
  direction,
});

function sample(): SearchDatabase {
  const db = new SearchDatabase();
  db.add(1, 'Patient/a', [db.string('name', 'beta'), db.string('name', 'zeta'), db.date('birthDate', 5, 6)]);
  db.add(1, 'Patient/b', [db.string('name', 'alpha'), db.date('birthDate', 1, 9), db.token('gender', 'x')]);
  db.add(1, 'Patient/c', [db.token('gender', 'x')]);
  db.add(1, 'Patient/d', [db.string('name', 'beta'), db.date('birthDate', 7, 8), db.token('gender', 'x')]);
  db.add(2, 'Patient/e', [db.string('name', 'alpha'), db.date('birthDate', 5, 6), db.token('gender', 'x')]);
  return db;
}

async function walk(
  db: SearchDatabase,
  plan: SearchPlan,
  partitions: number[],
  count: number,
): Promise<string> {
  let ids = '';
  let after: RowKey | undefined;
  for (;;) {
    const rows = await db.store.page(scopeOf(...partitions), plan, { count, ...(after ? { after } : {}) });
    ids += rows.map((row) => row.id).join('');
    if (rows.length < count) return ids;
    after = rows.at(-1)!.key;
  }
}

const everyone = c.all();
const gender = c.token('Patient', 'gender', c.code('x'));
const CASES: readonly [title: string, plan: SearchPlan, partitions: number[], expected: string][] = [
  [
    'by the least text, missing last',
    c.plan('Patient', everyone, by('string', 'name', 'ascending')),
    [1],
    'badc',
  ],
  [
    'by the greatest text downwards, missing last',
    c.plan('Patient', everyone, by('string', 'name', 'descending')),
    [1],
    'adbc',
  ],
  [
    'by the beginning of dates',
    c.plan('Patient', everyone, by('date', 'birthDate', 'ascending')),
    [1],
    'badc',
  ],
  [
    'by the end of dates downwards',
    c.plan('Patient', everyone, by('date', 'birthDate', 'descending')),
    [1],
    'bdac',
  ],
  [
    'by two keys in two directions',
    c.plan('Patient', everyone, by('string', 'name', 'ascending'), by('date', 'birthDate', 'descending')),
    [1, 2],
    'bedac',
  ],
  ['by a key with a condition', c.plan('Patient', gender, by('string', 'name', 'ascending')), [1], 'bdc'],
  ['by id downwards', c.plan('Patient', everyone, { by: 'id', direction: 'descending' }), [1], 'dcba'],
  [
    'by id in two partitions',
    c.plan('Patient', everyone, { by: 'id', direction: 'descending' }),
    [1, 2],
    'edcba',
  ],
  [
    'by the last update downwards',
    c.plan('Patient', everyone, { by: 'updated', direction: 'descending' }),
    [1],
    'dcba',
  ],
  [
    'by the last update with a condition',
    c.plan('Patient', gender, { by: 'updated', direction: 'descending' }),
    [1, 2],
    'edcb',
  ],
  [
    'by a path that was never written',
    c.plan('Patient', everyone, by('token', 'never', 'ascending')),
    [1],
    'abcd',
  ],
];

for (const [title, plan, partitions, expected] of CASES) {
  test(`sorted ${title}, whatever the length of pages`, async (t) => {
    for (const count of [1, 2, 3, 10]) t.is(await walk(sample(), plan, partitions, count), expected);
  });
}

test('resources that are added between pages neither repeat nor hide others', async (t) => {
  const db = sample();
  const first = await db.store.page(scopeOf(1), c.plan('Patient', gender), { count: 2 });
  db.add(1, 'Patient/0', [db.token('gender', 'x')]);
  const rest = await db.store.page(scopeOf(1), c.plan('Patient', gender), {
    count: 9,
    after: first.at(-1)!.key,
  });
  t.deepEqual(
    [...first, ...rest].map((row) => row.id),
    ['b', 'c', 'd', '0'],
  );
});
