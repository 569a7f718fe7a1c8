import test from 'ava';
import type { SearchPlan } from '../../../../src/storage/search-store.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
import { SEVERAL_SHAPES } from '../several-shapes.js';
import { explainPlan } from './explained-plan.js';

const file = await openMigratedFile();
test.after.always(() => file.remove());

const EVERY: SearchPlan = { type: ['Patient', 'Observation'], where: { kind: 'all', of: [] }, sort: [] };

function stepsOf(plan: SearchPlan): string {
  return explainPlan(file.db, plan).join('\n');
}

test('resources of several types come in the order of one key, without sorting', (t) => {
  const steps = stepsOf(EVERY);
  t.regex(steps, /USING INDEX RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\?\)/);
  t.notRegex(steps, /TEMP B-TREE/);
});

test('the newest of several types are the newest of each, by one walk for each', (t) => {
  const steps = stepsOf({ ...EVERY, sort: [{ by: 'updated', direction: 'descending' }] });
  t.regex(steps, /SEARCH x\d USING INDEX RESOURCE_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\?\)/);
  t.regex(steps, /SEARCH r\d USING INTEGER PRIMARY KEY/);
});

/** What serves each, besides resources by their row ids. */
const SEEKS: Readonly<Record<keyof typeof SEVERAL_SHAPES, readonly RegExp[]>> = {
  all: [/USING INDEX RESOURCE_KEY/],
  'the next page of all': [/USING INDEX RESOURCE_KEY/],
  'the newest': [/USING INDEX RESOURCE_UPDATED/],
  ids: [/RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND FHIR_ID=\?\)/],
  'what changed of late': [/RESOURCE_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND RES_UPDATED>\?\)/],
  'a token that all have': [/PARAM_ID=\? AND SP_VALUE=\? AND SYS_ID=\?/],
  'other tokens of each type': [/PARAM_ID=\? AND SP_NORM>\? AND SP_NORM<\?/, /SP_VALUE=\? AND SYS_ID=\?/],
  'members of a compartment': [/RESOURCE_KEY .*FHIR_ID=\?/, /PARAM_ID=\? AND TARGET_RES_ID=\?/],
  'members of a compartment by a date': [/TARGET_RES_ID=\?/, /DATE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/],
};

/** A step into a table that begins at a value, or over what was found before. */
const IS_BOUNDED =
  /^SEARCH .*\((?:PARTITION_ID=\? AND (?:RES_TYPE_ID|PARAM_ID)=\?|RES_ID=\?|rowid=\?)|^SCAN (?:[km]\d*$|.* VIRTUAL)/;

for (const [title, { plan }] of Object.entries(SEVERAL_SHAPES)) {
  test(`${title}, of several types: no walk through a table, nor through all of a partition`, (t) => {
    const steps = explainPlan(file.db, plan);
    for (const step of steps) if (/^(?:SEARCH|SCAN) /.test(step)) t.regex(step, IS_BOUNDED, steps.join('\n'));
    for (const seek of SEEKS[title as keyof typeof SEEKS]) t.regex(steps.join('\n'), seek);
  });
}
