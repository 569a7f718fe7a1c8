import test from 'ava';
import { COPY_SQL } from '../../../src/storage/sql/sqlite/copy-writer.js';
import { openMigratedFile } from '../../support/migrated-file.js';

const file = await openMigratedFile();
test.after.always(() => file.remove());

/** The steps by which SQLite runs the statement, one in a line. */
function planOf(name: keyof typeof COPY_SQL): string {
  const values = { partition: 1, links: '[]', rowId: 1, limit: 1, owners: '[]', copies: '[]', rules: '[]' };
  const used = Object.entries(values).filter(([key]) => COPY_SQL[name].includes(`@${key}`));
  const steps = file.db.prepare(`explain query plan ${COPY_SQL[name]}`).all(Object.fromEntries(used));
  return (steps as { readonly detail: string }[]).map(({ detail }) => detail).join('\n');
}

const BY_RESOURCE = /USING (?:COVERING )?INDEX COMPOSITE_RESOURCE \(RES_ID=\? AND PARAM_ID=\?\)/;

test('copies are made along the links of a resource and the values of what they lead to', (t) => {
  const plan = planOf('add');
  t.regex(plan, /SEARCH l USING INDEX LINK_RESOURCE \(RES_ID=\?/);
  t.regex(plan, BY_RESOURCE);
  t.notRegex(plan, /SCAN (?:l|v)\b/);
});

test('copies are removed along the values of their resource', (t) => {
  t.regex(planOf('remove'), BY_RESOURCE);
});

test('referrers are found by their paths and the target', (t) => {
  t.regex(planOf('referrers'), /USING PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\? AND TARGET_RES_ID=\?\)/);
});
