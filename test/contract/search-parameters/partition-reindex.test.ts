import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { createParameter, matchesOf, parameterOf, patientWith, warningsOf } from './fixtures.js';

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { partitionSearchParameters: true },
});
const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
test.after.always(() => server.stop());

/** Creates a patient and, afterwards, a parameter that would find it. */
async function createLate(tenant: FhirClient, code: string): Promise<string | undefined> {
  const { body } = await tenant.post<Patient>('Patient', patientWith(code, 'old'));
  await createParameter(tenant, parameterOf(code));
  settle();
  return body.id;
}

test.serial('a tenant that reindexes itself finds everything by its own parameter', async (t) => {
  const id = await createLate(acme, 'hat');
  const before = await acme.get<Bundle>('Patient?hat=old');
  t.deepEqual(matchesOf(before), []);
  t.regex(warningsOf(before).join(), /"hat" of Patient does not find all data yet/);
  t.like(await reindexed(acme), { state: 'done', failed: 0 });
  const after = await acme.get<Bundle>('Patient?hat=old');
  t.deepEqual(matchesOf(after), [id]);
  t.deepEqual(warningsOf(after), []);
});

test.serial('a reindex of another tenant changes nothing', async (t) => {
  await createLate(acme, 'scarf');
  await createLate(beta, 'scarf');
  await reindexed(beta);
  t.deepEqual(warningsOf(await beta.get<Bundle>('Patient?scarf=old')), []);
  t.is(warningsOf(await acme.get<Bundle>('Patient?scarf=old')).length, 1);
});

test.serial('a reindex of the whole server brings the parameters of every tenant along', async (t) => {
  const ids = [await createLate(acme, 'glove'), await createLate(beta, 'tie')];
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  const found = [await acme.get<Bundle>('Patient?glove=old'), await beta.get<Bundle>('Patient?tie=old')];
  t.deepEqual(found.flatMap(matchesOf), ids);
  t.deepEqual(found.flatMap(warningsOf), []);
});

test.serial('a reindex by the URL of a parameter is its own tenant’s alone', async (t) => {
  await createLate(acme, 'belt');
  const parameters = [{ name: 'parameter', valueUri: parameterOf('belt').url }];
  const body = { resourceType: 'Parameters', parameter: parameters };
  for (const other of [beta, client])
    assertError(t, await other.post('$reindex', body), 400, 'INVALID_REQUEST');
  t.like(await reindexed(acme, '$reindex', parameters), { state: 'done', type: 'Patient' });
  t.deepEqual(warningsOf(await acme.get<Bundle>('Patient?belt=old')), []);
});
