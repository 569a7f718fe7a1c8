import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { SQL_STATEMENTS } from '../../src/storage/sql/sql-statements.js';
import { createReindexServer, reindexed } from '../contract/reindex/fixtures.js';
import { lift, upliftChain, upliftToken } from '../contract/search-parameters/uplift-fixtures.js';
import { load, observationAt, patientAt } from '../contract/search-parameters/uplift-world.js';
import { unscoped } from './sql-aliases.js';
import { tenantStatements } from './tenant-statements.js';

const statements: string[] = [];
/** Databases tell their statements only to those who listen when they are opened. */
function listen(text: unknown): void {
  statements.push(String(text));
}
subscribe(SQL_STATEMENTS.name, listen);

const { server, client, settle } = await createReindexServer({ partitions: ['acme'] });
const acme = client.tenant('acme');
test.after.always(async () => {
  unsubscribe(SQL_STATEMENTS.name, listen);
  await server.stop();
});

test.before(async () => {
  await load(acme, 0);
  await lift(client, 'clinical-patient', [
    upliftChain('identifier', 'patient-identifier'),
    upliftChain('name', 'patient-name'),
    upliftToken('urn:lifted', 'alt_id'),
  ]);
  settle();
  await reindexed(client, 'Patient/$reindex');
});

test.serial(
  'a search by a lifted chain asks for the page and its count, and before and after whether copies are right',
  async (t) => {
    for (const [search, most] of [
      ['Observation?patient.identifier=urn:lifted|v1&_count=1', 4],
      ['Observation?patient.identifier=urn:lifted|v1&patient.name=a&_count=1', 5],
      ['?_type=Observation,Condition,Procedure,Encounter&patient.identifier=v1&_count=1', 4],
    ] as const) {
      statements.length = 0;
      t.is((await acme.get(search)).status, 200);
      const asked = tenantStatements(statements);
      t.true(asked.length <= most, `${asked.length} for ${search}`);
    }
  },
);

test.serial('no statement opens a table without a predicate on the partition', async (t) => {
  statements.length = 0;
  for (let at = 0; at < 4; at++) {
    t.is((await acme.put(`Patient/p${at}`, patientAt(at, at + 7))).status, 200);
    t.is((await acme.put(`Observation/o${at}`, observationAt(at, at + 5))).status, 200);
  }
  t.is((await acme.delete('Observation/o1')).status, 204);
  t.is((await acme.get('Observation?patient.identifier=v1&patient.name:contains=s')).status, 200);
  await reindexed(client, 'Patient/$reindex');
  t.true(statements.length > 20);
  for (const sql of statements) t.deepEqual(unscoped(sql), [], sql);
});
