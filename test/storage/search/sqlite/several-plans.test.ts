import test from 'ava';
import type { SearchPlan } from '../../../../src/storage/search-store.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
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
