import test from 'ava';
import { EXPORT_SQL } from '../../../src/storage/sql/sqlite/export-sql.js';
import { openMigratedFile } from '../../support/migrated-file.js';

const file = await openMigratedFile();
test.after.always(() => file.remove());

const VALUES = {
  partition: 1,
  typeId: 1,
  updated: 0,
  rowId: 0,
  until: 1,
  live: 1,
  most: 1,
  types: '[1]',
  at: 1,
};

function planOf(name: keyof typeof EXPORT_SQL): readonly string[] {
  const sql = EXPORT_SQL[name];
  const values = sql.includes('@') ? [VALUES] : Array.from(sql.matchAll(/\?/g), () => 1);
  const rows = file.db.prepare(`explain query plan ${sql}`).all(...values) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

test('a walk merges one index of each table and sorts nothing', (t) => {
  const plan = planOf('walk').join('\n');
  t.regex(plan, /^MERGE \(UNION ALL\)/);
  t.regex(
    plan,
    /SEARCH r USING INDEX RESOURCE_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND RES_UPDATED>\?/,
  );
  t.regex(plan, /SEARCH v USING INDEX VERSION_UPDATED \(PARTITION_ID=\? AND RES_TYPE_ID=\? AND/);
});

for (const name of Object.keys(EXPORT_SQL) as (keyof typeof EXPORT_SQL)[]) {
  test(`${name} looks nothing through, and needs no table of its own`, (t) => {
    const plan = planOf(name);
    t.deepEqual(
      plan.filter((step) => /SCAN|TEMP B-TREE|AUTOMATIC/.test(step) && !/ t VIRTUAL/.test(step)),
      [],
    );
  });
}
