import { existsSync, rmSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { openReader, openWriter } from '../../../src/storage/sql/sqlite/open.js';
import { assertError, FhirClient } from '../../contract/support/fhir-client.js';
import { createWorkplace } from '../../cli/fixtures.js';
import { WITHOUT_FULL_TEXT } from '../../support/earlier-schema.js';

/** Takes a home back to the first schema. */
const DOWNGRADE = `
  drop table HFJ_SPIDX_COMPOSITE;
  ${WITHOUT_FULL_TEXT}
  alter table HFJ_PARTITION drop column PART_PLACEMENT;
  alter table HFJ_PARTITION drop column PART_MIGRATION;
  alter table HFJ_JOB drop column JOB_OWNER;
  alter table HFJ_JOB drop column JOB_LEASE;
  delete from HFJ_SETTING where SETTING_KEY = 'next-row-id';
  delete from HFJ_MIGRATION where name > '0002';`;

function change(file: string, sql: string): void {
  const db = openWriter(file, 'home');
  db.exec(sql);
  db.close();
}

/** Resources of a file by their partition. */
function countOf(file: string): unknown {
  const db = openReader(file);
  const rows = db.prepare('select PARTITION_ID, count(*) as N from HFJ_RESOURCE group by 1').all();
  db.close();
  return rows;
}

/** Two partitions with files of their own, that a command line works on. */
async function openFleet(t: ExecutionContext) {
  const workplace = await createWorkplace(t);
  const { run } = workplace;
  const database = workplace.databaseUrl.replace('sqlite:', '');
  for (const name of ['acme', 'beta']) {
    t.is((await run('partition', 'create', name, '--placement', 'database')).exit, 0);
  }
  const fileOf = (id: number): string => database.replace(/\.db$/, `.p${id}.db`);
  return { ...workplace, database, fileOf };
}

test('a partition that is behind is refused until bulkhead migrate has run, and others are served', async (t) => {
  const { run, serve, fileOf } = await openFleet(t);
  change(fileOf(1), DOWNGRADE);
  const root = new FhirClient(await serve());
  assertError(t, await root.tenant('acme').get('Patient'), 503, 'HOME_OUTDATED');
  const refused = await root.tenant('acme').get('Patient');
  t.regex(refused.text, /bulkhead migrate/);
  t.truthy(refused.headers.get('retry-after'));
  t.is((await root.tenant('beta').get('Patient')).status, 200);
  const migrated = await run('migrate');
  t.is(migrated.exit, 0);
  t.regex(
    migrated.out,
    /^acme \(database\) was migrated: 0002-placements, 0003-search, 0004-full-text, 0005-contained, 0006-date-ends, 0007-bulk-export, 0008-auth, 0010-long-dates, 0011-resource-type-ids, 0012-quotas, 0013-param-sets\.$/m,
  );
  t.regex(migrated.out, /^beta \(database\) is up to date\.$/m);
  t.is((await root.tenant('acme').get('Patient')).status, 200);
  t.regex((await run('migrate')).out, /^acme \(database\) is up to date\.$/m);
});

test('a partition that a newer version has migrated is refused', async (t) => {
  const { run, serve, fileOf } = await openFleet(t);
  change(fileOf(1), `insert into HFJ_MIGRATION (name, batch) values ('9999-future', 9)`);
  const root = new FhirClient(await serve());
  const refused = await root.tenant('acme').get('Patient');
  assertError(t, refused, 503, 'HOME_OUTDATED');
  t.regex(refused.text, /newer version/);
  t.is((await run('migrate')).exit, 1);
});

test('a home that cannot be migrated does not keep the others from it', async (t) => {
  const { run, fileOf } = await openFleet(t);
  change(fileOf(2), DOWNGRADE);
  writeFileSync(fileOf(1), 'no database');
  const { exit, out, err } = await run('migrate');
  t.is(exit, 1);
  t.regex(err, /^acme \(database\) failed: /m);
  t.regex(out, /^beta \(database\) was migrated/m);
  rmSync(fileOf(1));
  t.regex((await run('migrate')).err, /^acme \(database\) failed: .*is missing/m);
  t.false(existsSync(fileOf(1)));
});

test('each file holds the rows of its own partition, and the main file none of them', async (t) => {
  const { serve, fileOf, database } = await openFleet(t);
  const root = new FhirClient(await serve());
  await root.tenant('acme').createPatient();
  t.deepEqual(countOf(fileOf(1)), [{ PARTITION_ID: 1, N: 1 }]);
  t.deepEqual(countOf(fileOf(2)), []);
  t.deepEqual(countOf(database), []);
});
