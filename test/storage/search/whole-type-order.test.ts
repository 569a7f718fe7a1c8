import test from 'ava';
import fc from 'fast-check';
import type { RowKey, SearchRow, SortKey } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase } from './fixtures.js';

/** What an Observation can be put in order by. */
interface Model {
  readonly dates: readonly (readonly [low: number, high: number])[];
  readonly names: readonly string[];
  readonly codes: readonly string[];
  /** Patients by place; some of them more than once. */
  readonly subjects: readonly number[];
}

type Value = string | number;
type IndexKey = Extract<SortKey, { by: 'index' }>;

const PATIENTS = 3;
const model: fc.Arbitrary<Model> = fc.record({
  dates: fc.uniqueArray(
    fc.tuple(fc.nat(4), fc.nat(2)).map(([low, more]) => [low, low + more] as const),
    { maxLength: 6, selector: String },
  ),
  names: fc.uniqueArray(fc.constantFrom('Ann', 'ann', 'anna', 'bob', 'carl', 'dora', 'eve'), {
    maxLength: 7,
  }),
  codes: fc.uniqueArray(fc.constantFrom('', 'a', 'b'), { maxLength: 2 }),
  subjects: fc.uniqueArray(fc.nat(PATIENTS - 1), { maxLength: 2 }),
});
const key: fc.Arbitrary<IndexKey> = fc.record({
  by: fc.constant('index' as const),
  index: fc.constantFrom('date', 'string', 'token', 'reference'),
  paths: fc.constant(['path']),
  direction: fc.constantFrom('ascending', 'descending'),
});
const sort = fc.uniqueArray(key, { minLength: 1, maxLength: 3, selector: ({ index }) => index });

function store(models: readonly Model[]): { db: SearchDatabase; rowIds: readonly number[] } {
  const db = new SearchDatabase();
  const patients = Array.from({ length: PATIENTS }, (_, place) => db.add(1, `Patient/p${place}`));
  const rowIds = models.map(({ dates, names, codes, subjects }, place) =>
    // Ids in another order than rows.
    db.add(1, `Observation/${(place * 7) % 31}-${place}`, [
      ...dates.map(([low, high]) => db.date('path', low, high)),
      ...names.map((text) => db.string('path', text)),
      ...codes.map((code) => db.token('path', code)),
      ...subjects.map((subject) => db.link('path', patients[subject]!)),
    ]),
  );
  db.add(2, 'Observation/elsewhere', [db.date('path', 0, 9), db.string('path', 'a')]);
  return { db, rowIds };
}

function valuesOf({ dates, names, codes, subjects }: Model, { index, direction }: IndexKey): Value[] {
  if (index === 'date') return dates.map(([low, high]) => (direction === 'ascending' ? low : high));
  if (index === 'string') return names.map((text) => text.toLowerCase());
  if (index === 'token') return codes.filter((code) => code !== '');
  return [...subjects];
}

/** The least or the greatest value; null where there is none. */
function placeOf(one: Model, by: IndexKey): Value | null {
  const values = valuesOf(one, by).toSorted(byValue);
  return values.at(by.direction === 'ascending' ? 0 : -1) ?? null;
}

function byValue(a: Value, b: Value): number {
  return a < b ? -1 : Number(a > b);
}

/** What has no value comes last, and the row id decides in the direction of the last key. */
function inOrder(models: readonly Model[], keys: readonly IndexKey[]): number[] {
  const turned = (compared: number, { direction }: IndexKey): number =>
    direction === 'ascending' ? compared : -compared;
  return models
    .map((one, at) => ({ at, places: keys.map((by) => placeOf(one, by)) }))
    .toSorted((a, b) => {
      for (const [at, by] of keys.entries()) {
        const [left = null, right = null] = [a.places[at], b.places[at]];
        if (left === right) continue;
        if (left === null || right === null) return left === null ? 1 : -1;
        return turned(byValue(left, right), by);
      }
      return turned(a.at - b.at, keys.at(-1)!);
    })
    .map(({ at }) => at);
}

test('all of a type comes in the order of any keys, each resource once, on pages of any length', async (t) => {
  const searches = fc.array(fc.tuple(sort, fc.constantFrom(1, 2, 3, 30)), { minLength: 6, maxLength: 6 });
  const property = fc.asyncProperty(
    fc.array(model, { minLength: 1, maxLength: 14 }),
    searches,
    async (models, asked) => {
      const { db, rowIds } = store(models);
      for (const [keys, count] of asked) {
        const found: number[] = [];
        let after: RowKey | undefined;
        let rows: readonly SearchRow[];
        do {
          const window = { count, ...(after && { after }) };
          rows = await db.store.page(scopeOf(1), c.plan('Observation', c.all(), ...keys), window);
          found.push(...rows.map(({ rowId }) => rowId));
          after = rows.at(-1)?.key;
        } while (rows.length === count);
        const expected = inOrder(models, keys).map((at) => rowIds[at]!);
        if (found.join() !== expected.join())
          throw new Error(`${found.join()} instead of ${expected.join()} for ${JSON.stringify(keys)}`);
      }
    },
  );
  await t.notThrowsAsync(fc.assert(property, { numRuns: 150 }));
});

for (const direction of ['ascending', 'descending'] as const) {
  test(`pages of a whole type by date, ${direction}, stay in place while others are written`, async (t) => {
    const db = new SearchDatabase();
    const add = (id: string, ...ends: number[]): number =>
      db.add(
        1,
        `Observation/${id}`,
        ends.map((end) => db.date('path', end)),
      );
    const before = [3, 4, 5, 5, 6, 7].map((end, at) => add(`o${at}`, end, end === 4 ? 5 : end + 1));
    const plan = c.plan('Observation', c.all(), { by: 'index', index: 'date', paths: ['path'], direction });
    const first = await db.store.page(scopeOf(1), plan, { count: 2 });
    for (const [at, end] of [1, 5, 9].entries()) add(`new${at}`, end);
    const found = [...first];
    for (let page = first; page.length > 0; found.push(...page))
      page = await db.store.page(scopeOf(1), plan, { count: 2, after: page.at(-1)!.key });
    const rowIds = found.map(({ rowId }) => rowId);
    t.is(new Set(rowIds).size, rowIds.length);
    for (const rowId of before) t.true(rowIds.includes(rowId));
  });
}
