import test from 'ava';
import type {
  Condition,
  ContainedCondition,
  SearchWindow,
  SortKey,
} from '../../../../src/storage/search-store.js';
import * as c from '../conditions.js';
import { scopeOf } from '../fixtures.js';
import { SEVERAL_SHAPES } from '../several-shapes.js';
import { explainPostgres } from '../test-rows.js';
import { type Ask, count, linked, ordered, page, TYPE } from './asked-statements.js';
import { beginsAtValue, blocksOf, scansOf } from './explained-plan.js';
import { BEGIN, LARGEST, openSkewed, SMALL, STEP, type SkewedDatabase } from './skewed-data.js';

let database: SkewedDatabase;
/** Before version 18 an index is not skipped through, and lists are not read in its order. */
let skipsIndexes: boolean;
/** What more an older version may read. */
const WITHOUT_SKIPS = 8;

test.before('more than 200,000 rows', async () => {
  database = await openSkewed();
  const version = { text: `select current_setting('server_version_num')::integer`, values: [] };
  const [result] = await database.connections.read('none', [version]);
  skipsIndexes = (result?.rows[0]?.[0] as number) >= 180_000;
});
test.after.always('the database goes', () => database.close());

const frequent = c.token(TYPE, 'code', c.code('c0', 'urn:codes'));
const rare = c.token(TYPE, 'code', c.code('c29', 'urn:codes'));
const listed = c.token(TYPE, 'code', {
  system: 'urn:codes',
  values: ['c29', ...Array.from({ length: 999 }, (_, index) => `none${index}`)],
});
const anySystem = c.token(TYPE, 'code', c.code('c1'));
const lacking = (path: string): Condition => c.not(c.present(c.token(TYPE, path)));
const subject = c.reference(TYPE, 'subject', c.local('p1', 'Patient'));
const named = (text: string): ReturnType<typeof c.text> => c.text('Patient', 'name', c.prefix(text));
const since = (n: number): ReturnType<typeof c.date> =>
  c.date(TYPE, 'effective', { comparison: 'ge', low: BEGIN + n * STEP, high: BEGIN + n * STEP });
const during = (n: number, steps: number): ReturnType<typeof c.date> =>
  c.date(TYPE, 'effective', c.during(BEGIN + n * STEP, BEGIN + (n + steps) * STEP));
const newest: SortKey = { by: 'index', index: 'date', paths: ['effective'], direction: 'descending' };
const oldest: SortKey = { ...newest, direction: 'ascending' };
const lightest: SortKey = { ...oldest, index: 'quantity', paths: ['value'] };
const middle: SearchWindow = { count: 20, after: [500, 110_000] };
const near = c.quantity(TYPE, 'value', { over: 'place', latitude: 5, longitude: 0.005, meters: 1000 });
const severalCodes = c.token(TYPE, 'code', c.code('c0'), c.code('c1'), c.code('c2'));
const heavy = c.quantity(TYPE, 'value', {
  comparison: 'gt',
  value: 0.9,
  low: 0.85,
  high: 0.95,
  unit: { kind: 'canonical', unit: 'g' },
});

const elementsOf = (code: string): ReturnType<typeof c.element> =>
  c.element([c.token(TYPE, 'part code', c.code(code, 'urn:codes'))], [c.heavier('part value')]);

const inside = (where: Condition): ContainedCondition => c.contained('Patient', where, [TYPE, 'subject']);

/** Blocks of 8 kB that a page of 50 may touch: each row costs four in its index, and one of its own. */
const PAGE = 300;

/** What is asked, how many blocks it may touch in the largest partition, and which index serves it. */
const SHAPES: readonly [title: string, ask: Ask, blocks: number, along: RegExp][] = [
  ['a token', page(c.plan(TYPE, frequent)), PAGE, /token_key/],
  [
    'the next page of a token',
    page(c.plan(TYPE, frequent), { count: 50, after: [110_000] }),
    PAGE,
    /token_key/,
  ],
  ['a thousand codes', page(c.plan(TYPE, listed)), 6_000, /token_key/],
  ['a token in any system', page(c.plan(TYPE, anySystem)), PAGE, /token_key/],
  ['a reference', page(c.plan(TYPE, subject)), PAGE, /link_key/],
  ['all of a type', page(c.plan(TYPE, c.all())), PAGE, /resource_key/],
  [
    'the newest of a type',
    page(c.plan(TYPE, c.all(), { by: 'updated', direction: 'descending' })),
    PAGE,
    /resource_updated/,
  ],
  ['ids', page(c.plan('Patient', c.ids('p1', 'p2'))), 10, /resource_key/],
  // The rows themselves are looked at where no vacuum could mark their pages yet: twice the index alone.
  ['a count', count(frequent), PAGE, /token_key/],
  ['a count of a token and few dates', count(c.all(frequent, during(60_000, 20)), 1000), PAGE, /date_long/],
  ['a count of a token and many dates', count(c.all(frequent, since(20_000)), 1000), 16_000, /date_resource/],
  ['the beginning of a text', page(c.plan('Patient', named('name1'))), PAGE, /string_key/],
  [
    'a whole text',
    page(c.plan('Patient', c.text('Patient', 'name', { match: 'eq', normalized: 'name12' }))),
    PAGE,
    /string_key/,
  ],
  [
    'either of two, one of them with a condition of its own',
    page(c.plan(TYPE, c.any(c.all(rare, since(100)), subject))),
    4 * PAGE,
    /token_key/,
  ],
  ['a token and a date', page(c.plan(TYPE, c.all(frequent, since(20_000)))), 16_000, /date_resource/],
  ['a few dates among many', page(c.plan(TYPE, during(60_000, 20))), 2 * PAGE, /date_long/],
  ['the last dates', page(c.plan(TYPE, since(79_990))), PAGE, /date_end/],
  ['a rare token and a date', page(c.plan(TYPE, c.all(rare, since(100)))), 2 * PAGE, /date_resource/],
  ['a rare element', page(c.plan(TYPE, elementsOf('e29'))), 3 * PAGE, /composite_key/],
  ['the values of a rare element', page(c.plan(TYPE, elementsOf('e29'))), 3 * PAGE, /composite_resource/],
  [
    'a reference and a frequent element',
    page(c.plan(TYPE, c.all(subject, elementsOf('e0')))),
    6 * PAGE,
    /composite_(?:resource|key)/,
  ],
  ['a reference and a frequent token', page(c.plan(TYPE, c.all(subject, frequent))), PAGE, /token_key/],
  [
    'a reference and a token in any system',
    page(c.plan(TYPE, c.all(subject, anySystem))),
    3 * PAGE,
    /token_key/,
  ],
  ['a reference and a date', page(c.plan(TYPE, c.all(subject, since(100)))), 2 * PAGE, /date_resource/],
  ['a reference by date', page(c.plan(TYPE, subject, newest), { count: 20 }), PAGE, /date_resource/],
  ['codes in any system', page(c.plan(TYPE, severalCodes)), 4 * PAGE, /token_key/],
  ['all by date', ordered(c.plan(TYPE, c.all(), newest)), 3 * PAGE, /date_end/],
  ['all by date, oldest first', ordered(c.plan(TYPE, c.all(), oldest)), 3 * PAGE, /date_key/],
  [
    'the next page of all by date',
    ordered(c.plan(TYPE, c.all(), newest), { count: 20, after: [BEGIN + 500 * STEP, 100_500] }),
    3 * PAGE,
    /date_end/,
  ],
  // Half of 24,000 rows came before: each costs a block where no vacuum could mark their pages yet.
  ['the middle by quantity', ordered(c.plan(TYPE, c.all(), lightest), middle), 15_000, /quantity_key/],
  ['a chain', page(c.plan(TYPE, c.chain(TYPE, 'subject', 'Patient', named('name12')))), PAGE, /link_key/],
  [
    'a token and a chain',
    page(c.plan(TYPE, c.all(frequent, c.chain(TYPE, 'subject', 'Patient', named('name1'))))),
    1_200,
    /link_resource/,
  ],
  ['a chain to what is contained', page(c.plan(TYPE, inside(named('name12')))), 2 * PAGE, /composite_key/],
  [
    'a chain to a resource or to what is contained',
    page(c.plan(TYPE, c.any(c.chain(TYPE, 'subject', 'Patient', named('name12')), inside(named('name12'))))),
    3 * PAGE,
    /composite_key/,
  ],
  [
    'a rare token, and a chain to what is contained',
    page(c.plan(TYPE, c.all(rare, inside(c.not(named('name12')))))),
    4 * PAGE,
    /composite_resource/,
  ],
  [
    'a token, and a chain to a resource or to what is contained',
    page(
      c.plan(
        TYPE,
        c.all(frequent, c.any(c.chain(TYPE, 'subject', 'Patient', named('name1')), inside(named('name1')))),
      ),
    ),
    1_600,
    /composite_resource/,
  ],
  [
    'a chain that goes on from what is contained',
    page(c.plan(TYPE, inside(c.chain('Patient', 'link', 'Patient', named('name12'))))),
    4 * PAGE,
    /composite_key/,
  ],
  [
    'contained resources',
    page({ ...c.plan([TYPE, 'Patient'], c.any()), contained: c.contained('Patient', named('name12')) }),
    PAGE,
    /composite_key/,
  ],
  [
    'what contains some of them',
    page(c.plan([TYPE, 'Patient'], c.contained('Patient', named('name12')))),
    PAGE,
    /composite_key/,
  ],
  ['a reverse chain', page(c.plan('Patient', c.has(TYPE, 'subject', rare))), 2_500, /link_resource/],
  [
    'a few names, and what refers to them with a frequent token',
    page(c.plan('Patient', c.all(named('name12'), c.has(TYPE, 'subject', frequent)))),
    2 * PAGE,
    /link_key/,
  ],
  [
    'a reference, and a chain to a frequent token',
    page(c.plan(TYPE, c.all(subject, c.chain(TYPE, 'subject', TYPE, frequent)))),
    2 * PAGE,
    /resource_row/,
  ],
  [
    'a token and a canonical quantity',
    page(c.plan(TYPE, c.all(frequent, heavy))),
    PAGE,
    /quantity_canonical/,
  ],
  [
    'resources that were looked up',
    page(c.plan(TYPE, c.reference(TYPE, 'subject', { kind: 'rows', rowIds: [1, 33, 65] }))),
    2 * PAGE,
    /link_key/,
  ],
  // Sets of paths, and nothing else.
  ['a code that nobody lacks', page(c.plan(TYPE, lacking('code'))), 40, /res_params_key/],
  ['a note that all lack', page(c.plan(TYPE, lacking('note'))), PAGE, /resource_params/],
  ['places near a point', page(c.plan(TYPE, near)), 2 * PAGE, /quantity_key/],
  ['an include', linked('include', ['subject'], [100_001, 100_002, 100_003]), 40, /link_resource/],
  ['an include of all paths', linked('include', null, [100_001, 100_002, 100_003]), 40, /link_resource/],
  ['a reverse include', linked('revinclude', ['subject'], [1, 33, 65]), 2 * PAGE, /link_key/],
];

for (const [title, ask, blocks, along] of SHAPES) {
  for (const partition of [LARGEST, SMALL]) {
    test(`${title}, partition ${partition}: index walks that begin at a value, and little to read`, async (t) => {
      const statement = ask(partition);
      t.truthy(statement);
      const plan = await explainPostgres(database.connections, statement!);
      const text = plan.join('\n');
      const scans = scansOf(plan);
      t.true(scans.length > 0, text);
      for (const scan of scans) {
        t.true(beginsAtValue(scan), text);
      }
      t.true(blocksOf(plan) > 0, text);
      t.true(blocksOf(plan) <= blocks * (skipsIndexes ? 1 : WITHOUT_SKIPS), text);
      // Everything of a small partition may be cheaper to look through.
      if (partition === LARGEST)
        t.true(
          scans.some((scan) => along.test(scan)),
          text,
        );
      // What the index has in order already is sorted piece by piece, which reads no further.
      if (skipsIndexes && statement!.plan === 'generic' && !text.includes('Unique'))
        t.notRegex(text, /->\s+Sort\b/);
    });
  }
}

/** Blocks that each may touch, and the indexes that serve it. */
const SEVERAL: Readonly<Record<keyof typeof SEVERAL_SHAPES, readonly [blocks: number, ...along: RegExp[]]>> =
  {
    // A page of each type, and the rows of both.
    all: [2 * PAGE, /resource_key/],
    'the next page of all': [2 * PAGE, /resource_key/],
    'the newest': [2 * PAGE, /resource_updated/],
    ids: [20, /resource_key/],
    'what changed of late': [PAGE, /resource_updated/],
    'a token that all have': [PAGE, /token_key/],
    'other tokens of each type': [3 * PAGE, /token_key/, /string_key/],
    'members of a compartment': [2 * PAGE, /resource_key/, /link_key/],
    'members of a compartment by a date': [3 * PAGE, /link_key/, /date_resource/],
  };

/** What older versions read no more for. */
const EVERYWHERE: ReadonlySet<string> = new Set(['all', 'the next page of all']);

for (const [title, { plan, window }] of Object.entries(SEVERAL_SHAPES)) {
  const [blocks, ...along] = SEVERAL[title as keyof typeof SEVERAL];
  test(`${title}, of several types: index walks that begin at a value, and little to read`, async (t) => {
    const [large, small] = await Promise.all(
      [LARGEST, SMALL].map((partition) =>
        explainPostgres(database.connections, page(plan, window)(partition)!),
      ),
    );
    const more = skipsIndexes || EVERYWHERE.has(title) ? 1 : WITHOUT_SKIPS;
    for (const lines of [large!, small!]) t.true(blocksOf(lines) <= blocks * more, lines.join('\n'));
    const text = large!.join('\n');
    // Everything of a small partition may be cheaper to look through.
    for (const scan of scansOf(large!)) t.true(beginsAtValue(scan), text);
    for (const index of along)
      t.true(
        scansOf(large!).some((scan) => index.test(scan)),
        text,
      );
  });
}

test('a page of a token reads no more in the largest partition than in a small one', async (t) => {
  const ask = page(c.plan(TYPE, frequent), { count: 20 });
  const [large, small] = await Promise.all(
    [LARGEST, SMALL].map(async (partition) =>
      blocksOf(await explainPostgres(database.connections, ask(partition)!)),
    ),
  );
  t.true(large! <= small! * 2, `${large} against ${small} blocks`);
});

test('the guard sees a walk through all of a partition', async (t) => {
  const statement = {
    sql: `select RES_ID from HFJ_RESOURCE where PARTITION_ID = $1 and RES_UPDATED = $2`,
    bindings: [LARGEST, 1],
    cost: 'cheap',
    plan: 'generic',
    partitions: scopeOf(LARGEST).partitions,
  } as const;
  const scans = scansOf(await explainPostgres(database.connections, statement));
  t.deepEqual(scans.map(beginsAtValue), [false]);
});
