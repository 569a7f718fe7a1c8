import test from 'ava';
import type { Condition } from '../../../../src/storage/search-store.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
import * as c from '../conditions.js';
import { explainPlan } from './explained-plan.js';

const TYPE = 'Observation';
const file = await openMigratedFile();
test.after.always(() => file.remove());

const elements = c.element(
  [c.token(TYPE, 'part code', c.code('e1', 'urn:codes'))],
  [c.heavier('part value')],
);

function planOf(where: Condition, partitions?: readonly number[]): readonly string[] {
  return explainPlan(file.db, c.plan(TYPE, where), partitions);
}

const BY_VALUE =
  /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\?\)/;
const BY_ELEMENT =
  /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\? AND SP_ELEMENT=\?/;
const BY_RESOURCE = /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/;

for (const partitions of [[1], [1, 2]]) {
  test(`elements are found by their most telling value, in ${partitions.length} partitions`, (t) => {
    const steps = planOf(elements, partitions);
    t.regex(steps.find((step) => step.includes(' t')) ?? '', BY_VALUE, steps.join('\n'));
    t.true(
      steps.some((step) => BY_ELEMENT.test(step)),
      steps.join('\n'),
    );
    t.false(
      steps.some((step) => /SCAN t\d/.test(step)),
      steps.join('\n'),
    );
  });
}

test('elements of resources that something else found are sought by the resource', (t) => {
  const steps = planOf(c.all(c.token(TYPE, 'code', c.code('c29', 'urn:codes')), c.not(elements)));
  t.true(
    steps.some((step) => BY_RESOURCE.test(step)),
    steps.join('\n'),
  );
  // That one is the token.
  t.is(steps.filter((step) => BY_VALUE.test(step)).length, 1, steps.join('\n'));
});
