import test from 'ava';
import type { Condition, ContainedCondition, SearchPlan } from '../../../../src/storage/search-store.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
import * as c from '../conditions.js';
import { explainPlan } from './explained-plan.js';

const TYPE = 'Observation';
const file = await openMigratedFile();
test.after.always(() => file.remove());

const named = c.text('Patient', 'name', c.prefix('name1'));
const inside = (where: Condition): ContainedCondition => c.contained('Patient', where, [TYPE, 'subject']);

const BY_VALUE =
  /USING (?:COVERING )?(?:PRIMARY KEY|INDEX \w+) \(PARTITION_ID=\? AND PARAM_ID=\? AND SP_VALUE/;
const BY_PATH = /SEARCH t\d USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\?\)/;
const BY_NUMBER =
  /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\? AND SP_ELEMENT=\?/;
const BY_CONTAINER = /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?/;

const both = { ...c.plan([TYPE, 'Patient'], named), contained: c.contained('Patient', named) };

/** What is asked, and the ways to rows of elements, in the order of the plan. */
const SHAPES: readonly [title: string, plan: SearchPlan, ways: readonly RegExp[]][] = [
  ['a chain to what is contained', c.plan(TYPE, inside(named)), [BY_VALUE, BY_NUMBER]],
  ['whoever contains some', c.plan([TYPE, 'Patient'], c.contained('Patient', named)), [BY_VALUE]],
  ['contained resources and others', both, [BY_VALUE]],
  ['those without a name', c.plan(TYPE, inside(c.not(named))), [BY_VALUE, BY_NUMBER]],
  ['all that are contained', c.plan([TYPE], c.contained('Patient', c.all())), [BY_PATH]],
  [
    'what another condition found',
    c.plan(TYPE, c.all(c.token(TYPE, 'code', c.code('c29', 'urn:codes')), c.not(inside(named)))),
    [BY_CONTAINER, BY_NUMBER],
  ],
  [
    'a chain that goes on beside it',
    c.plan(TYPE, inside(c.contained('Patient', named, ['Patient', 'other']))),
    [BY_VALUE, BY_NUMBER],
  ],
  [
    'a chain that goes on',
    c.plan(TYPE, inside(c.chain('Patient', 'link', 'Patient', named))),
    [BY_VALUE, BY_NUMBER],
  ],
];

for (const [title, plan, ways] of SHAPES) {
  for (const partitions of [[1], [1, 2]]) {
    test(`${title}: sought by value, then by number, in ${partitions.length} partitions`, (t) => {
      const steps = explainPlan(file.db, plan, partitions);
      const rows = steps.filter((step) => /COMPOSITE|SEARCH t\d USING PRIMARY KEY/.test(step));
      const text = steps.join('\n');
      t.false(/SCAN t\d/.test(text), text);
      for (const way of ways)
        t.true(
          rows.some((step) => way.test(step)),
          text,
        );
    });
  }
}
