import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { SQL_STATEMENTS } from '../../src/storage/sql/sql-statements.js';
import { as, believing } from '../contract/access/fixtures.js';
import { idsOf } from '../contract/isolation/fixtures.js';
import { createReindexServer, reindexed } from '../contract/reindex/fixtures.js';
import { lift, upliftChain } from '../contract/search-parameters/uplift-fixtures.js';
import type { FhirClient } from '../contract/support/fhir-client.js';
import { unscoped } from './sql-aliases.js';
import { tenantStatements } from './tenant-statements.js';

const statements: string[] = [];
/** Databases tell their statements only to those who listen when they are opened. */
function listen(text: unknown): void {
  statements.push(String(text));
}
subscribe(SQL_STATEMENTS.name, listen);

const { server, client, settle } = await createReindexServer({
  partitions: ['acme'],
  interceptors: [believing],
});
const acme = client.tenant('acme');
test.after.always(async () => {
  unsubscribe(SQL_STATEMENTS.name, listen);
  await server.stop();
});

test.before(async () => {
  for (const id of ['p1', 'p2']) {
    const subject = { reference: `Patient/${id}` };
    const identifier = [{ system: 'urn:mrn', value: 'same' }];
    await acme.put(`Patient/${id}`, { resourceType: 'Patient', id, identifier });
    const code = { text: 'x' };
    await acme.put(`Observation/of-${id}`, {
      resourceType: 'Observation',
      id: `of-${id}`,
      status: 'final',
      code,
      subject,
    });
  }
  await lift(client, 'clinical-patient', [upliftChain('identifier', 'patient-identifier')]);
  settle();
  await reindexed(client, 'Patient/$reindex');
});

const PATHS = [
  'Observation/of-p1',
  'Observation/of-p1/_history/1',
  'Observation/of-p1/_history',
  'Observation?code:text=x',
  'Observation?patient.identifier=urn:mrn|same',
  'Patient?_has:Observation:patient:code:text=x',
  'Observation?_include=Observation:subject',
  'Patient?_revinclude=Observation:subject',
  'Patient/p1/Observation',
  'Patient/p1/$everything',
];

/** What is asked of resources and their index. */
async function statementsOf(asking: FhirClient, path: string): Promise<readonly string[]> {
  statements.length = 0;
  const { status, text } = await asking.get(path);
  if (status !== 200) throw new Error(`${path}: ${text}`);
  return tenantStatements(statements);
}

for (const path of PATHS)
  test.serial(`a token without limits asks the same of the database for ${path} as nobody`, async (t) => {
    const token = as(acme, 'system/*.rs');
    await statementsOf(acme, path);
    const without = await statementsOf(acme, path);
    t.true(without.length > 0);
    t.deepEqual(await statementsOf(token, path), without);
  });

test.serial('a limited token asks one statement more for a read, and none for a search', async (t) => {
  const token = as(acme, 'patient/*.rs', { patient: 'p1' });
  for (const [path, more] of [
    ['Observation/of-p1', 1],
    ['Observation?code:text=x', 0],
    ['Patient?_has:Observation:patient:code:text=x', 0],
  ] as const) {
    const without = await statementsOf(acme, path);
    t.true((await statementsOf(token, path)).length <= without.length + more, path);
  }
});

test.serial('copies that a chain is answered by are not asked where their types are limited', async (t) => {
  const search = 'Observation?patient.identifier=urn:mrn|same';
  t.deepEqual(idsOf(await acme.get<Bundle>(search)).toSorted(), ['Observation/of-p1', 'Observation/of-p2']);
  const token = as(acme, 'system/Observation.rs patient/Patient.rs', { patient: 'p2' });
  t.deepEqual(idsOf(await token.get<Bundle>(search)), ['Observation/of-p2']);
});

test.serial(
  'no statement of a limited token opens a table without a predicate on the partition',
  async (t) => {
    const token = as(acme, 'patient/*.rs', { patient: 'p1' });
    for (const path of PATHS) {
      statements.length = 0;
      await token.get(path);
      t.true(statements.length > 0);
      for (const sql of statements) t.deepEqual(unscoped(sql), [], sql);
    }
  },
);
