import test from 'ava';
import fc from 'fast-check';
import type { Condition, RangeTest, RowKey, SortKey } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase, type IndexRow } from './fixtures.js';

/** A resource as the oracle sees it. */
interface Model {
  readonly partition: number;
  readonly type: 'Patient' | 'Observation';
  readonly id: string;
  readonly tokens: readonly (readonly [system: string | null, code: string])[];
  readonly names: readonly string[];
  readonly dates: readonly (readonly [low: number, high: number])[];
  /** Which patient, by place in the list of all. */
  readonly subject: number | undefined;
}

const system = fc.constantFrom(null, 's', 't');
const code = fc.constantFrom('a', 'b');
const name = fc.constantFrom('ann', 'anna', 'bob');
const range = fc.tuple(fc.nat(5), fc.nat(3)).map(([low, more]) => [low, low + more] as const);
const partition = fc.constantFrom(1, 1, 2, 3);

const values = {
  partition,
  tokens: fc.array(fc.tuple(system, code), { maxLength: 3 }),
  names: fc.array(name, { maxLength: 2 }),
  dates: fc.array(range, { maxLength: 2 }),
};
const patient = fc.record({
  ...values,
  type: fc.constant('Patient' as const),
  subject: fc.constant(undefined),
});
const observation = fc.record({
  ...values,
  type: fc.constant('Observation' as const),
  subject: fc.option(fc.nat(4), { nil: undefined }),
});

/** Ids repeat from partition to partition. */
const world = fc
  .tuple(fc.array(patient, { minLength: 5, maxLength: 5 }), fc.array(observation, { maxLength: 12 }))
  .map(([patients, observations]): Model[] =>
    [...patients, ...observations].map((one, index, list) => {
      const before = list
        .slice(0, index)
        .filter((other) => other.partition === one.partition && other.type === one.type);
      return { ...one, id: `i${before.length}` };
    }),
  );

const tokenTest = fc.record({
  system: fc.constantFrom(undefined, null, 's', 'u'),
  value: fc.constantFrom('a', 'b', 'z'),
});
const comparison = fc.constantFrom('eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap' as const);

function leaf(type: Model['type']): fc.Arbitrary<Condition> {
  return fc.oneof(
    fc.array(tokenTest, { maxLength: 3 }).map((tests) => c.token(type, 'code', ...tests)),
    fc.constantFrom('an', 'anna', 'b', 'x').map((text) => c.text(type, 'name', c.prefix(text))),
    fc
      .tuple(comparison, range)
      .map(([one, [low, high]]) => c.date(type, 'date', { comparison: one, low, high })),
    fc
      .array(fc.tuple(comparison, range), { minLength: 2, maxLength: 3 })
      .map((tests) => tests.map(([one, [low, high]]) => ({ comparison: one, low, high })))
      .map((every) => c.date(type, 'date', { every })),
    fc.constantFrom(
      c.present(c.token(type, 'code')),
      c.present(c.date(type, 'date')),
      c.present(c.text(type, 'name')),
    ),
    fc.uniqueArray(fc.constantFrom('i0', 'i1', 'i2'), { maxLength: 2 }).map((list) => c.ids(...list)),
    fc.constant(c.token(type, 'never', c.code('a'))),
  );
}

function tree(type: Model['type'], depth: number): fc.Arbitrary<Condition> {
  if (depth === 0) return leaf(type);
  const part = tree(type, depth - 1);
  const linked =
    type === 'Observation'
      ? fc.oneof(
          tree('Patient', depth - 1).map((where) => c.chain(type, 'subject', 'Patient', where)),
          fc.constantFrom('i0', 'i1').map((id) => c.reference(type, 'subject', c.local(id, 'Patient'))),
        )
      : tree('Observation', depth - 1).map((where) => c.has('Observation', 'subject', where));
  return fc.oneof(
    leaf(type),
    linked,
    part.map(c.not),
    fc.array(part, { maxLength: 3 }).map((of) => c.all(...of)),
    fc.array(part, { maxLength: 3 }).map((of) => c.any(...of)),
  );
}

/** What the condition means, on the model. `seen` is what the scope shows. */
function holds(
  condition: Condition,
  one: Model,
  seen: readonly Model[],
  everyone: readonly Model[],
): boolean {
  const again = (part: Condition, other = one): boolean => holds(part, other, seen, everyone);
  const subjectOf = (other: Model): Model | undefined =>
    other.subject === undefined ? undefined : everyone[other.subject];
  switch (condition.kind) {
    case 'all':
      return condition.of.every((part) => again(part));
    case 'any':
      return condition.of.some((part) => again(part));
    case 'not':
      return !again(condition.of);
    case 'ids':
      return condition.ids.includes(one.id);
    case 'types':
    case 'updated':
    case 'element':
    case 'contained':
      throw new Error('not generated');
    case 'chain': {
      const target = subjectOf(one);
      return (
        target !== undefined &&
        seen.includes(target) &&
        condition.targets.some(({ where }) => again(where, target))
      );
    }
    case 'has':
      return seen.some((other) => subjectOf(other) === one && again(condition.where, other));
    case 'index':
      return holdsOnRows(condition, one, subjectOf(one), seen);
  }
}

function holdsOnRows(
  condition: Extract<Condition, { kind: 'index' }>,
  one: Model,
  subject: Model | undefined,
  seen: readonly Model[],
): boolean {
  if (condition.paths.includes('never')) return false;
  switch (condition.index) {
    case 'token':
      return one.tokens.some(
        ([own, value]) =>
          condition.tests === null ||
          condition.tests.some(
            (wanted) =>
              ('values' in wanted ? wanted.values.includes(value) : wanted.value === value) &&
              (wanted.system === undefined || wanted.system === own),
          ),
      );
    case 'string':
      return one.names.some(
        (text) =>
          condition.tests === null ||
          condition.tests.some((wanted) => wanted.match !== 'words' && text.startsWith(wanted.normalized)),
      );
    case 'date':
      return one.dates.some(([low, high]) => {
        const tests = condition.tests ?? [{ comparison: 'ap', low: -1e9, high: 1e9 } as const];
        return tests.some((wanted) =>
          ('every' in wanted ? wanted.every : [wanted]).every((asked) => liesSo([low, high], asked)),
        );
      });
    case 'reference':
      return (
        subject !== undefined &&
        seen.includes(subject) &&
        (condition.tests ?? []).some((wanted) => wanted.kind === 'local' && wanted.id === subject.id)
      );
    default:
      throw new Error('not generated');
  }
}

function store(models: readonly Model[]): { db: SearchDatabase; rowIds: readonly number[] } {
  const db = new SearchDatabase();
  const rowIds: number[] = [];
  for (const one of models) {
    const subject = one.subject === undefined ? undefined : rowIds[one.subject];
    const rows: IndexRow[] = [
      ...unique(one.tokens).map(([own, value]) => db.token('code', value, own)),
      ...unique(one.names).map((text) => db.string('name', text)),
      ...unique(one.dates).map(([low, high]) => db.date('date', low, high)),
      ...(subject === undefined ? [] : [db.link('subject', subject)]),
    ];
    rowIds.push(db.add(one.partition, `${one.type}/${one.id}`, rows));
  }
  return { db, rowIds };
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

const sorts = fc.constantFrom<readonly SortKey[]>(
  [],
  [{ by: 'id', direction: 'descending' }],
  [{ by: 'index', index: 'string', paths: ['name'], direction: 'descending' }],
  [
    { by: 'index', index: 'date', paths: ['date'], direction: 'ascending' },
    { by: 'updated', direction: 'descending' },
  ],
);
const type = fc.constantFrom('Patient' as const, 'Observation' as const);
const search = type.chain((one) => fc.record({ type: fc.constant(one), where: tree(one, 2), sort: sorts }));

test('any condition finds in any scope what it means, each match once, on pages of any length', async (t) => {
  const scopes: fc.Arbitrary<readonly number[]> = fc.constantFrom(
    [1],
    [2],
    [1, 2],
    [3, 1, 2],
    [1, 4, 5, 6, 7, 8, 9, 10, 11],
  );
  const property = fc.asyncProperty(
    world,
    scopes,
    fc.array(search, { minLength: 8, maxLength: 8 }),
    async (models, ids, searches) => {
      const { db, rowIds } = store(models);
      const scope = scopeOf(...ids);
      const seen = models.filter((one) => ids.includes(one.partition));
      for (const plan of searches) {
        const expected = models.flatMap((one, index) =>
          one.type === plan.type && seen.includes(one) && holds(plan.where, one, seen, models)
            ? [rowIds[index]!]
            : [],
        );
        const found: number[] = [];
        let after: RowKey | undefined;
        for (;;) {
          const rows = await db.store.page(scope, plan, { count: 3, ...(after ? { after } : {}) });
          found.push(...rows.map((row) => row.rowId));
          after = rows.at(-1)?.key;
          if (rows.length < 3) break;
        }
        const context = JSON.stringify({ plan, ids });
        if (JSON.stringify(found.toSorted((a, b) => a - b)) !== JSON.stringify(expected)) {
          throw new Error(`found ${found.join()} instead of ${expected.join()} for ${context}`);
        }
        if ((await db.store.count(scope, plan)) !== expected.length)
          throw new Error(`wrong count for ${context}`);
      }
    },
  );
  await t.notThrowsAsync(fc.assert(property, { numRuns: 150 }));
});

function liesSo([low, high]: readonly [number, number], wanted: RangeTest): boolean {
  const inside = low >= wanted.low && high <= wanted.high;
  const results = {
    eq: inside,
    ne: !inside,
    gt: high > wanted.high,
    lt: low < wanted.low,
    ge: inside || high > wanted.high,
    le: inside || low < wanted.low,
    sa: low > wanted.high,
    eb: high < wanted.low,
    ap: low <= wanted.high && high >= wanted.low,
    co: low <= wanted.low && high >= wanted.high,
  };
  return results[wanted.comparison];
}
