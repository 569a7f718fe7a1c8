import test from 'ava';
import type { Condition } from '../../../../src/storage/search-store.js';
import * as c from '../conditions.js';
import { scopeOf } from '../fixtures.js';
import { sample } from '../sample.js';

const AMOUNT = { value: 20, low: 19.5, high: 20.5, unit: { kind: 'any' }, over: 'range' } as const;

/** How each test finds its rows: through the key of its table, never along all rows of a path. */
const SEEKS: readonly [title: string, where: Condition, seek: RegExp][] = [
  [
    'what is below a URI',
    uris({ below: 'http://a/b' }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE>\? AND SP_VALUE<\?/,
  ],
  [
    'one of many URIs',
    uris({ values: Array.from({ length: 300 }, (_, n) => `http://a/${n}`) }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\?/,
  ],
  [
    'resources that were looked up',
    c.reference('Observation', 'subject', {
      kind: 'rows',
      rowIds: Array.from({ length: 5000 }, (_, n) => n),
    }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL=\?/,
  ],
  [
    'canonical URLs',
    c.reference('Observation', 'subject', { kind: 'urls', urls: ['http://a', 'http://a|1'] }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL=\?/,
  ],
  [
    'the beginning of a canonical URL',
    c.reference('Observation', 'subject', { kind: 'urlPrefix', prefix: 'http://other/' }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL>\? AND TARGET_URL<\?/,
  ],
  [
    'places near a point',
    c.quantity('Observation', 'value', { over: 'place', latitude: 20, longitude: 0.02, meters: 1000 }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE>\? AND SP_VALUE<\?/,
  ],
  [
    'ranges within an amount',
    c.quantity('Observation', 'value', { ...AMOUNT, comparison: 'eq' }),
    /PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE>\? AND SP_VALUE<\?/,
  ],
];

function uris(...tests: Extract<Condition, { kind: 'index'; index: 'uri' }>['tests'] & object): Condition {
  return { kind: 'index', index: 'uri', type: 'Observation', paths: ['url'], tests };
}

for (const [title, where, seek] of SEEKS) {
  test(`${title}: the rows are sought by key`, async (t) => {
    const db = sample();
    db.add(1, 'Observation/canonical', [db.uri('url', 'http://a/b')]);
    await db.store.page(scopeOf(1), c.plan('Observation', where), { count: 1 });
    const steps = await db.lastPlan();
    t.true(
      steps.some((step) => seek.test(step)),
      steps.join('\n'),
    );
    t.false(
      steps.some((step) => /SCAN (HFJ_|[tr]\d)/.test(step)),
      steps.join('\n'),
    );
    t.true(db.statements.at(-1)!.bindings.length < 30);
  });
}

test('a union of more than 500 queries is one that SQLite takes', async (t) => {
  const db = sample();
  const tests = Array.from({ length: 1000 }, (_, n) => c.prefix(n === 999 ? 'smith' : `none${n}`));
  const rows = await db.store.page(scopeOf(1), c.plan('Patient', c.text('Patient', 'name', ...tests)), {
    count: 10,
  });
  t.deepEqual(rows.map(({ id }) => id).toSorted(), ['anna', 'carl']);
});
