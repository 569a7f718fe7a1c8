import test from 'ava';
import { FhirError } from '../../../src/model/errors.js';
import type { RowKey, SearchPlan } from '../../../src/storage/search-store.js';
import { seededRandom } from '../../campaigns/random.js';
import * as c from './conditions.js';
import { scopeOf, SearchDatabase } from './fixtures.js';

const HEARD = 'urn:heard-of-first';
const code = c.plan('Observation', c.token('Observation', 'code', c.code('x')));

/** The ids of all pages, and the length of their keys. */
async function pagesOf(db: SearchDatabase, plan: SearchPlan, count: number): Promise<string> {
  let ids = '';
  let after: RowKey | undefined;
  for (;;) {
    const rows = await db.store.page(scopeOf(1), plan, { count, ...(after ? { after } : {}) });
    ids += rows.map(({ id, key }) => ` ${id}/${key.length}`).join('');
    if (rows.length < count) return ids.trim();
    after = rows.at(-1)!.key;
  }
}

test('a code in any system comes by age, whichever system somebody was the first to use', async (t) => {
  const db = new SearchDatabase();
  db.add(2, 'Observation/o', [db.token('code', 'x', HEARD)]);
  db.add(1, 'Observation/1', [db.token('code', 'x', 'urn:own')]);
  db.add(1, 'Observation/2', [db.token('code', 'x', HEARD), db.token('code', 'x', 'urn:own')]);
  db.add(1, 'Observation/3', [db.token('code', 'x')]);
  db.add(1, 'Observation/4', [db.token('code', 'x', HEARD)]);
  for (const count of [1, 2, 9]) t.is(await pagesOf(db, code, count), '1/1 2/1 3/1 4/1');
  t.is(await db.store.count(scopeOf(1), code), 4);
});

test('a code in many systems is found once in each resource, on pages of any length', async (t) => {
  const db = new SearchDatabase();
  const random = seededRandom(7);
  const expected: string[] = [];
  for (let n = 0; n < 150; n++) {
    const systems = new Set(
      Array.from({ length: random.integer(0, 3) }, () => random.integer(0, random.integer(0, 40))),
    );
    const gender = db.token('kind', n % 3 === 0 ? 'a' : 'b');
    db.add(1, `Observation/${n}`, [
      gender,
      ...[...systems].map((one) => db.token('code', 'x', `urn:${one}`)),
    ]);
    if (systems.size > 0) expected.push(`${n}/1`);
  }
  for (const count of [1, 7, 50, 500]) t.is(await pagesOf(db, code, count), expected.join(' '));
  t.is(await db.store.count(scopeOf(1), code), expected.length);
  t.is(await db.store.count(scopeOf(1), code, 9), 9);
  const kind = c.token('Observation', 'kind', c.code('a'));
  const both = c.plan('Observation', c.all(c.token('Observation', 'code', c.code('x')), c.not(kind)));
  const others = expected.filter((one) => Number.parseInt(one, 10) % 3 !== 0);
  for (const count of [1, 7, 500]) t.is(await pagesOf(db, both, count), others.join(' '));
});

const written = c.updated({ comparison: 'ge', low: 1, high: 1 });
const named = c.text('Patient', 'name', c.prefix('n'));
const gender = c.token('Patient', 'gender', c.code('x'));

/** The pages of a tenant beside another one, who has these names. */
async function pagesBeside(plan: SearchPlan, names: readonly string[], count: number): Promise<string> {
  const db = new SearchDatabase();
  const own = db.token('gender', 'x');
  db.add(2, 'Patient/o', [own, ...names.map((name) => db.string('name', name))]);
  for (const id of ['b', 'c', 'a']) db.add(1, `Patient/${id}`, [own]);
  return pagesOf(db, plan, count);
}

for (const [title, where] of [
  ['a text or a time', c.any(named, written)],
  ['a text or an id', c.any(named, c.ids('b', 'a'))],
  ['what is no text, twice over, or a token', c.any(c.not(c.not(named)), gender)],
  ['a text or a token', c.any(named, gender)],
  ['no text', c.not(named)],
] as const) {
  for (const plan of [
    c.plan('Patient', where),
    { ...c.plan('Patient', where), type: ['Patient', 'Group'] },
  ]) {
    const types = typeof plan.type === 'string' ? 'one type' : 'two types';
    test(`${title}, of ${types}: the order does not tell whether anybody ever wrote such a text`, async (t) => {
      const [never, ...others] = [await pagesBeside(plan, [], 1), await pagesBeside(plan, [], 9)];
      for (const count of [1, 9]) others.push(await pagesBeside(plan, ['nobody'], count));
      t.not(never, '');
      t.deepEqual(new Set(others), new Set([never]));
    });
  }
}

for (const [title, plan, key] of [
  ['of a system before the row', code, [1, 2]],
  ['of a longer order', code, []],
  ['of ids where times are in order', c.plan('Observation', written), ['a', 1]],
  [
    'of texts where a date is asked for',
    c.plan('Observation', c.all(), { by: 'index', index: 'date', paths: ['at'], direction: 'ascending' }),
    ['a', 1],
  ],
] as const) {
  test(`a page that begins behind a key ${title} is not known`, async (t) => {
    const db = new SearchDatabase();
    db.add(1, 'Observation/1', [db.token('code', 'x'), db.date('at', 1)]);
    const error = await t.throwsAsync(db.store.page(scopeOf(1), plan, { count: 1, after: key }), {
      instanceOf: FhirError,
    });
    t.is(error.code, 'UNKNOWN_PAGE_LINK');
  });
}
