import test from 'ava';
import type { RowKey, SearchPlan } from '../../../src/storage/search-store.js';
import { CASES } from './cases.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase } from './fixtures.js';
import { sample } from './sample.js';

async function found(db: SearchDatabase, plan: SearchPlan, ...partitions: number[]): Promise<string[]> {
  const rows = await db.store.page(scopeOf(...partitions), plan, { count: 100 });
  const count = await db.store.count(scopeOf(...partitions), plan);
  if (count !== rows.length) throw new Error(`count ${count} differs from ${rows.length} rows`);
  return rows.map((row) => row.id);
}

for (const [title, plan, expected] of CASES) {
  test(`${title}: each match once, in one partition`, async (t) => {
    t.deepEqual((await found(sample(), plan, 1)).toSorted(), expected);
  });

  test(`${title}: each match of both partitions once, with two in the scope`, async (t) => {
    t.deepEqual((await found(sample(), plan, 1, 2)).toSorted(), [...expected, ...expected].toSorted());
  });

  test(`${title}: the first page is counted where it is full`, async (t) => {
    const db = sample();
    for (const scope of [scopeOf(1), scopeOf(1, 2)]) {
      const whole = await db.store.page(scope, plan, { count: 100 });
      const all = await db.store.firstPage(scope, plan, { count: 100, countTo: 100 });
      t.deepEqual(all, { rows: whole, counted: undefined });
      const full = await db.store.firstPage(scope, plan, { count: 1, countTo: 2 });
      t.deepEqual(full.rows, whole.slice(0, 1));
      t.is(full.counted, whole.length === 0 ? undefined : Math.min(whole.length, 2));
    }
  });

  test(`${title}: nothing of other partitions`, async (t) => {
    t.deepEqual(await found(sample(), plan, 3), []);
    const long = Array.from({ length: 20 }, (_, index) => index + 2);
    t.deepEqual((await found(sample(), plan, ...long)).toSorted(), expected);
  });

  test(`${title}: pages of one add up`, async (t) => {
    const db = sample();
    for (const scope of [scopeOf(1), scopeOf(1, 2)]) {
      const whole = await db.store.page(scope, plan, { count: 100 });
      const walked: number[] = [];
      let after: RowKey | undefined;
      for (;;) {
        const [row] = await db.store.page(scope, plan, { count: 1, ...(after ? { after } : {}) });
        if (row === undefined) break;
        walked.push(row.rowId);
        after = row.key;
      }
      t.deepEqual(
        walked,
        whole.map((row) => row.rowId),
      );
    }
  });
}

test('a link to another partition leads nowhere outside of the scope', async (t) => {
  const db = new SearchDatabase();
  const foreign = db.add(2, 'Patient/p', [db.string('name', 'canary'), db.token('identifier', 'x')]);
  const own = db.add(1, 'Observation/o', [db.link('subject', foreign), db.token('code', 'hr')]);
  const where = c.text('Patient', 'name', c.prefix('canary'));
  const scope = scopeOf(1);
  t.deepEqual(
    await db.store.page(scope, c.plan('Observation', c.chain('Observation', 'subject', 'Patient', where)), {
      count: 9,
    }),
    [],
  );
  t.deepEqual(
    await db.store.page(
      scope,
      c.plan('Observation', c.reference('Observation', 'subject', c.local('p', 'Patient'))),
      { count: 9 },
    ),
    [],
  );
  const referred = c.plan(
    'Patient',
    c.has('Observation', 'subject', c.token('Observation', 'code', c.code('hr'))),
  );
  t.deepEqual(await db.store.page(scope, referred, { count: 9 }), []);
  t.is(await db.store.count(scope, referred), 0);
  const include = {
    direction: 'include',
    sourceType: 'Observation',
    paths: ['subject'],
    targetType: null,
    limit: 9,
  } as const;
  t.deepEqual(await db.store.linked(scope, { ...include, from: [own] }), []);
  t.deepEqual(
    await db.store.linked(scopeOf(2), { ...include, direction: 'revinclude', from: [foreign] }),
    [],
  );
  t.is((await db.store.linked(scopeOf(1, 2), { ...include, from: [own] })).length, 1);
});

test('includes follow named paths and wildcards in both directions, live resources once', async (t) => {
  const db = sample();
  const scope = scopeOf(1);
  const observations = await db.store.page(scope, c.plan('Observation', c.all()), { count: 9 });
  const from = observations.map((row) => row.rowId);
  const include = {
    direction: 'include',
    sourceType: 'Observation',
    targetType: null,
    limit: 9,
    from,
  } as const;
  for (const paths of [['subject'], null]) {
    const rows = await db.store.linked(scope, { ...include, paths });
    t.deepEqual(
      rows.map((row) => `${row.type}/${row.id}`),
      ['Patient/anna', 'Patient/bert'],
    );
  }
  t.is((await db.store.linked(scope, { ...include, paths: ['subject'], limit: 1 })).length, 1);
  t.is(
    (await db.store.linked(scope, { ...include, paths: ['subject'], targetType: 'Observation' })).length,
    0,
  );
  const [anna] = await db.store.page(scope, c.plan('Patient', c.ids('anna')), { count: 1 });
  const back = { ...include, direction: 'revinclude', from: [anna!.rowId] } as const;
  for (const paths of [['subject'], null]) {
    const rows = await db.store.linked(scope, { ...back, paths });
    t.deepEqual(
      rows.map((row) => row.id),
      ['o1', 'o2'],
    );
  }
});

test('a bounded count stops at its limit', async (t) => {
  const db = sample();
  t.is(
    await db.store.count(scopeOf(1), c.plan('Observation', c.token('Observation', 'code', c.code('hr'))), 2),
    2,
  );
  t.is(await db.store.count(scopeOf(1), c.plan('Observation', c.all()), 2), 2);
  t.is(await db.store.count(scopeOf(1, 2), c.plan('Observation', c.all()), 100), 10);
});

test('values never stay in a statement: equal shapes share it, and each search gets its own answer', async (t) => {
  const db = sample();
  const gender = (value: string): Promise<string[]> =>
    found(db, c.plan('Patient', c.token('Patient', 'gender', c.code(value))), 1);
  t.deepEqual(await gender('male'), ['bert', 'carl']);
  t.deepEqual(await gender('female'), ['anna']);
  t.is(new Set(db.statements.map((statement) => statement.sql)).size, 2);
});

/** Leaves values behind that no statement uses. */
const impossible = (...codes: string[]): SearchPlan =>
  c.plan('Patient', c.not(c.token('Patient', 'never', ...codes.map((one) => c.code(one)))));

test('values find their places in a shared statement, whatever impossible parts left behind', async (t) => {
  const db = sample();
  for (const plan of [c.plan('Patient', c.all()), impossible('a'), impossible('a', 'b', 'c'), impossible()]) {
    const rows = await db.store.page(scopeOf(1), plan, { count: 2 });
    t.deepEqual(
      rows.map((row) => row.id),
      ['anna', 'bert'],
    );
    const rest = await db.store.page(scopeOf(1), plan, { count: 2, after: rows.at(-1)!.key });
    t.deepEqual(
      rest.map((row) => row.id),
      ['carl'],
    );
  }
});
