import test from 'ava';
import type { SqlStatement } from '../../../../src/storage/sql/sql-reader.js';
import * as c from '../conditions.js';
import { scopeOf, type SearchDatabase } from '../fixtures.js';
import { LOINC, sample } from '../sample.js';

const UNBOUND = /SCAN (HFJ_|[rtm]\d)/;

for (const [title, codes] of [
  ['a code', [c.code('hr')]],
  ['codes', [c.code('hr'), c.code('bp', LOINC)]],
] as const) {
  test(`${title} in any system: a seek for each system and its first, and a walk of no more than a page`, async (t) => {
    const where = c.token('Observation', 'code', ...codes);
    const db = sample();
    const plan = c.plan('Observation', where);
    const [first] = await db.store.page(scopeOf(1), plan, { count: 1 });
    await db.store.page(scopeOf(1), plan, { count: 1, after: first!.key });
    const steps = await db.lastPlan();
    const among = (end: string): number =>
      steps.filter((step) =>
        step.includes(`USING PRIMARY KEY (PARTITION_ID=? AND PARAM_ID=? AND SP_VALUE=? AND ${end})`),
      ).length;
    t.is(among('SYS_ID>?'), 1, steps.join('\n'));
    t.is(among('SYS_ID=? AND RES_ID>? AND RES_ID<?'), 1, steps.join('\n'));
    t.is(among('SYS_ID=? AND RES_ID>?'), codes.length, steps.join('\n'));
    t.false(
      steps.some((step) => UNBOUND.test(step)),
      steps.join('\n'),
    );
    const { sql, cost } = db.statements.at(-1)!;
    t.is(cost, 'expensive');
    t.is(sql.match(/limit/g)!.length, codes.length + 2);
  });
}

test('a code in few systems is looked for at once, one in many beside other requests', async (t) => {
  const db = sample();
  const asked = await lastAsked(db, 'hr');
  t.true((await counted(db, asked)) < asked.probe!.most);
  for (let n = 0; n < 5; n++)
    db.add(1, `Observation/many-${n}`, [db.token('code', 'spread', `urn:many:${n}`)]);
  const other = await lastAsked(db, 'spread');
  t.is(other.sql, asked.sql);
  t.true((await counted(db, other)) >= other.probe!.most);
});

async function lastAsked(db: SearchDatabase, code: string): Promise<SqlStatement> {
  const where = c.token('Observation', 'code', c.code(code));
  await db.store.page(scopeOf(1), c.plan('Observation', where), { count: 1 });
  return db.statements.at(-1)!;
}

async function counted(db: SearchDatabase, statement: SqlStatement): Promise<number> {
  const [[rows] = []] = await db.all({ ...statement, ...statement.probe! });
  return Number(rows);
}
