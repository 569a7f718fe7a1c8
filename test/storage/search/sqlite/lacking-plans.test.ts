import test from 'ava';
import type { Condition, SearchPlan } from '../../../../src/storage/search-store.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
import * as c from '../conditions.js';
import { explainPlan } from './explained-plan.js';

const TYPE = 'Observation';
const file = await openMigratedFile();
test.after.always(() => file.remove());

const lacking = (condition: Parameters<typeof c.present>[0]): Condition => c.not(c.present(condition));
const code = lacking(c.token(TYPE, 'code'));
const subject = lacking(c.reference(TYPE, 'subject'));

const SETS = /SEARCH p\d+ USING PRIMARY KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\?\)/;
const WITH_SET =
  /SEARCH [xr]\d+ USING (?:COVERING )?INDEX RESOURCE_PARAMS \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND RES_PARAMS_ID=\?/;

const SHAPES: readonly [title: string, plan: SearchPlan][] = [
  ['a token', c.plan(TYPE, code)],
  ['a reference', c.plan(TYPE, subject)],
  ['both', c.plan(TYPE, c.all(code, subject))],
  ['a token, backwards', c.plan(TYPE, code, { by: 'id', direction: 'descending' })],
  [
    'a token, by date',
    c.plan(TYPE, code, { by: 'index', index: 'date', paths: ['effective'], direction: 'ascending' }),
  ],
];

for (const [title, plan] of SHAPES) {
  for (const partitions of [[1], [1, 2]]) {
    test(`what lacks ${title} is found by sets of paths, in ${partitions.length} partitions`, (t) => {
      const steps = explainPlan(file.db, plan, partitions);
      const text = steps.join('\n');
      for (const way of [SETS, WITH_SET])
        t.true(
          steps.some((step) => way.test(step)),
          text,
        );
      t.false(/SCAN [xrptk]\d|INDEX RESOURCE_KEY/.test(text), text);
    });
  }
}

test('a page is cut out of each set in its order', (t) => {
  const text = explainPlan(file.db, c.plan(TYPE, subject)).join('\n');
  t.regex(text, WITH_SET);
  // The first of all sets are sorted, and those of the page.
  t.is(text.match(/USE TEMP B-TREE FOR ORDER BY/g)?.length, 2, text);
});

for (const partitions of [[1], [1, 2]]) {
  test(`whether a resource refers to a type is a seek among its own links, in ${partitions.length} partitions`, (t) => {
    const patient: Condition = {
      kind: 'index',
      index: 'reference',
      type: TYPE,
      paths: ['subject'],
      targetFilter: 'Patient',
      tests: null,
    };
    const coded = c.token(TYPE, 'code', c.code('x', 'urn:codes'));
    for (const where of [c.not(patient), c.all(coded, patient), c.all(coded, c.not(patient))]) {
      const text = explainPlan(file.db, c.plan(TYPE, where), partitions).join('\n');
      t.regex(text, /SEARCH t\d+ (?:EXISTS )?USING INDEX LINK_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/, text);
    }
  });
}
