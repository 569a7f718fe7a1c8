import test from 'ava';
import type { SearchPlan, SortKey } from '../../../../src/storage/search-store.js';
import * as c from '../conditions.js';
import { scopeOf, type SearchDatabase } from '../fixtures.js';
import { sample } from '../sample.js';

const LOINC = 'http://loinc.org';
const SORTER = /TEMP B-TREE/;
const UNBOUND = /SCAN (HFJ_|[trm]\d)/;

async function planOf(
  plan: SearchPlan,
  after = false,
): Promise<{ steps: readonly string[]; db: SearchDatabase }> {
  const db = sample();
  const [first] = await db.store.page(scopeOf(1), plan, { count: 1 });
  if (after) await db.store.page(scopeOf(1), plan, { count: 1, after: first!.key });
  return { steps: await db.lastPlan(), db };
}

const byName: SortKey = { by: 'index', index: 'string', paths: ['name'], direction: 'ascending' };
const byBirth: SortKey = { by: 'index', index: 'date', paths: ['birthDate'], direction: 'descending' };
const WALKS: readonly [title: string, plan: SearchPlan, first: RegExp][] = [
  [
    'one token with system',
    c.plan('Observation', c.token('Observation', 'code', c.code('hr', LOINC))),
    /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\?/,
  ],
  [
    'one reference',
    c.plan('Observation', c.reference('Observation', 'subject', c.local('anna', 'Patient'))),
    /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL=\?/,
  ],
  [
    'all of a type',
    c.plan('Patient', c.all()),
    /SEARCH r\d USING INDEX RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\?/,
  ],
  [
    'ids',
    c.plan('Patient', c.ids('anna', 'bert')),
    /SEARCH r\d USING INDEX RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND FHIR_ID=\?/,
  ],
  [
    'all of a type by last update',
    c.plan('Patient', c.all(), { by: 'updated', direction: 'descending' }),
    /SEARCH r\d USING INDEX RESOURCE_UPDATED/,
  ],
  [
    'what was updated since',
    c.plan('Patient', c.updated({ comparison: 'ge', low: 1, high: 1 })),
    /SEARCH r\d USING INDEX RESOURCE_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND RES_UPDATED>\?|\(RES_UPDATED,RES_ID\)>/,
  ],
];

for (const [title, plan, first] of WALKS) {
  for (const after of [false, true]) {
    test(`${title}, ${after ? 'next' : 'first'} page: one walk along an index, without sorting`, async (t) => {
      const { steps, db } = await planOf(plan, after);
      t.regex(steps[0]!, first);
      t.false(
        steps.some((step) => SORTER.test(step)),
        steps.join('\n'),
      );
      t.false(
        steps.some((step) => UNBOUND.test(step)),
        steps.join('\n'),
      );
      t.is(db.statements.at(-1)!.cost, 'cheap');
    });
  }
}

test('alternatives are one walk each, of which no more than a page is looked at', async (t) => {
  const where = c.token(
    'Observation',
    'code',
    c.code('hr', LOINC),
    c.code('none', LOINC),
    c.code('bp', LOINC),
  );
  const { steps, db } = await planOf(c.plan('Observation', where), true);
  const walks = steps.filter((step) =>
    /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\? AND RES_ID>\?/.test(
      step,
    ),
  );
  t.true(walks.length >= 3, steps.join('\n'));
  t.false(
    steps.some((step) => UNBOUND.test(step)),
    steps.join('\n'),
  );
  t.is(db.statements.at(-1)!.cost, 'cheap');
  t.is(db.statements.at(-1)!.sql.match(/limit/g)!.length, walks.length + 1);
});

test('dates within a range are sought from a day before it, and longer ones in their own index', async (t) => {
  const range = c.date('Observation', 'effective', c.during(10, 30));
  const { steps } = await planOf(c.plan('Observation', range));
  const among = '\\(PARTITION_ID=\\? AND PARAM_ID=\\? AND SP_LOW';
  for (const walked of [
    `USING PRIMARY KEY ${among}>\\? AND SP_LOW<\\?`,
    `USING COVERING INDEX DATE_LONG ${among}<\\?`,
  ])
    t.true(
      steps.some((step) => new RegExp(walked).test(step)),
      steps.join('\n'),
    );
});

test('dates from a day on are sought by their end', async (t) => {
  const since = c.date('Observation', 'effective', { comparison: 'ge', low: 10, high: 20 });
  const { steps } = await planOf(c.plan('Observation', since));
  t.true(
    steps.some((step) =>
      /USING COVERING INDEX DATE_END \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_HIGH>\?/.test(step),
    ),
    steps.join('\n'),
  );
});

for (const [direction, walked] of [
  ['ascending', /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\?( AND SP_LOW>\?)?/],
  [
    'descending',
    /SEARCH t\d USING COVERING INDEX DATE_END \(PARTITION_ID=\? AND PARAM_ID=\?( AND SP_HIGH<\?)?/,
  ],
] as const) {
  for (const after of [false, true]) {
    test(`all of a type by a date, ${direction}, ${after ? 'next' : 'first'} page: a walk, and a seek for each row`, async (t) => {
      const sort: SortKey = { by: 'index', index: 'date', paths: ['effective'], direction };
      const { steps, db } = await planOf(c.plan('Observation', c.all(), sort), after);
      t.is(db.statements.length, after ? 2 : 1);
      t.true(
        steps.some((step) => walked.test(step)),
        steps.join('\n'),
      );
      t.true(
        steps.some((step) => /USING COVERING INDEX DATE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?/.test(step)),
        steps.join('\n'),
      );
      t.false(steps.some((step) => /RESOURCE_(KEY|UPDATED)/.test(step)));
    });
  }
}

for (const several of [false, true]) {
  test(`all of a type by a text${several ? ' and a date' : ''}, next page: a walk on, and one along what came before`, async (t) => {
    const keys: SortKey[] = [byName, ...(several ? [byBirth] : [])];
    const { steps, db } = await planOf(c.plan('Patient', c.all(), ...keys), true);
    t.is(db.statements.length, 2);
    for (const end of ['>', '<'])
      t.true(
        steps.some((step) =>
          new RegExp(`PRIMARY KEY \\(PARTITION_ID=\\? AND PARAM_ID=\\? AND SP_NORM${end}`).test(step),
        ),
        steps.join('\n'),
      );
    t.false(steps.some((step) => UNBOUND.test(step) || /RESOURCE_(KEY|UPDATED)/.test(step)));
  });
}

test('how many texts begin with a prefix is counted along their key', async (t) => {
  const { db } = await planOf(c.plan('Patient', c.text('Patient', 'name', c.prefix('smi'))));
  const { probe, cost } = db.statements.at(-1)!;
  t.is(cost, 'expensive');
  const steps = await db.planOf({ ...db.statements.at(-1)!, ...probe! });
  t.true(
    steps.some((step) =>
      /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_NORM>\? AND SP_NORM<\?\)/.test(
        step,
      ),
    ),
    steps.join('\n'),
  );
});

const contains = c.text('Patient', 'name', { match: 'contains', normalized: 'smi' });
const sinceThen = c.date('Patient', 'birthDate', { comparison: 'le', low: 30, high: 39 });
for (const [title, plan] of [
  ['a part of a text', c.plan('Patient', contains)],
  ['two prefixes', c.plan('Patient', c.text('Patient', 'name', c.prefix('a'), c.prefix('b')))],
  ['a prefix beside a date', c.plan('Patient', c.all(c.text('Patient', 'name', c.prefix('a')), sinceThen))],
  ['a prefix in an order', c.plan('Patient', c.text('Patient', 'name', c.prefix('a')), byName)],
  ['a date', c.plan('Patient', sinceThen)],
] as const) {
  test(`${title}: not counted beforehand, as a few may be far apart`, async (t) => {
    const { db } = await planOf(plan);
    t.is(db.statements.at(-1)!.probe, undefined);
  });
}

test('a date beside a token is one seek for each row of the token', async (t) => {
  const where = c.all(
    c.token('Observation', 'code', c.code('hr', LOINC)),
    c.date('Observation', 'effective', { comparison: 'ge', low: 30, high: 39 }),
  );
  const { steps } = await planOf(c.plan('Observation', where));
  t.true(
    steps.some((step) =>
      /SEARCH t\d EXISTS USING COVERING INDEX DATE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?/.test(step),
    ),
  );
  t.false(steps.some((step) => SORTER.test(step)));
});

test('a token in any system beside a reference is one seek for each system', async (t) => {
  const where = c.all(
    c.reference('Observation', 'subject', c.local('anna', 'Patient')),
    c.token('Observation', 'code', c.code('hr')),
  );
  const { steps } = await planOf(c.plan('Observation', where));
  t.true(
    steps.some((step) => /PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\? AND RES_ID=\?/.test(step)),
    steps.join('\n'),
  );
});

test('a list of codes is one binding, and one seek for each code', async (t) => {
  const codes = Array.from({ length: 10_000 }, (_, index) => (index === 5_000 ? 'hr' : `none${index}`));
  const where = c.token('Observation', 'code', { system: LOINC, values: codes });
  const { steps, db } = await planOf(c.plan('Observation', where));
  t.true(
    steps.some((step) =>
      /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\?/.test(
        step,
      ),
    ),
    steps.join('\n'),
  );
  t.false(
    steps.some((step) => UNBOUND.test(step)),
    steps.join('\n'),
  );
  t.true(db.statements.at(-1)!.bindings.length < 12);
});

test('a chain finds its targets first, then the links to them', async (t) => {
  const where = c.chain('Observation', 'subject', 'Patient', c.text('Patient', 'name', c.prefix('smi')));
  const { steps } = await planOf(c.plan('Observation', where));
  t.true(
    steps.some((step) =>
      /PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL=\?/.test(step),
    ),
  );
  t.true(steps.some((step) => /PARAM_ID=\? AND SP_NORM>\? AND SP_NORM<\?/.test(step)));
});

test('a chain beside a token probes the resource’s own link', async (t) => {
  const where = c.all(
    c.token('Observation', 'code', c.code('hr', LOINC)),
    c.chain('Observation', 'subject', 'Patient', c.text('Patient', 'name', c.prefix('smi'))),
  );
  const { steps } = await planOf(c.plan('Observation', where));
  t.true(
    steps.some((step) => /USING COVERING INDEX LINK_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/.test(step)),
    steps.join('\n'),
  );
});

test('a date to sort by is one seek for each match', async (t) => {
  const sort: SortKey = { by: 'index', index: 'date', paths: ['effective'], direction: 'descending' };
  const where = c.reference('Observation', 'subject', c.local('anna', 'Patient'));
  const { steps } = await planOf(c.plan('Observation', where, sort));
  t.true(steps.some((step) => /USING COVERING INDEX DATE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?/.test(step)));
});

for (const [direction, index] of [
  ['include', /USING (COVERING )?INDEX LINK_RESOURCE \(RES_ID=\? AND PARAM_ID=\?/],
  [
    'revinclude',
    /USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\? AND TARGET_URL=\?/,
  ],
] as const) {
  for (const paths of [['subject'], null]) {
    test(`${direction} of ${paths === null ? 'every path' : 'one path'} seeks the links of each resource found`, async (t) => {
      const db = sample();
      await db.store.linked(scopeOf(1), {
        direction,
        sourceType: 'Observation',
        paths,
        targetType: null,
        from: [1, 2],
        limit: 9,
      });
      const steps = await db.lastPlan();
      t.true(
        steps.some((step) => index.test(step)),
        steps.join('\n'),
      );
      t.true(steps.some((step) => /SEARCH r USING INTEGER PRIMARY KEY/.test(step)));
    });
  }
}
