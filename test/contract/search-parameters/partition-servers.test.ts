import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import type { Settings } from '../../../src/settings/schema.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import {
  createParameter,
  matchesOf,
  parameterOf,
  patchParameter,
  patientWith,
  warningsOf,
} from './fixtures.js';

const ON: Partial<Settings> = { partitionSearchParameters: true };
const TENANTS = ['change', 'race', 'setting', 'own', 'none'];

const database = await createTestDatabase('search-parameters');
const [first, second] = [await open(ON, TENANTS), await open(ON)];
test.after.always(async () => {
  for (const { server } of [first, second]) await server.stop();
  await database.drop();
});

async function open(settings: Partial<Settings>, partitions: readonly string[] = []) {
  const server = await createTestServer({ database, settings, partitions });
  return { server, client: new FhirClient(server.url), parts: server.bulkhead.parts };
}

/** A server that ends with the test. */
async function openFor(t: ExecutionContext, settings: Partial<Settings>): Promise<FhirClient> {
  const { server, client } = await open(settings);
  t.teardown(() => server.stop());
  return client;
}

/** Asks again until the answer has the status. */
async function until(status: number, ask: () => Promise<{ readonly status: number }>): Promise<void> {
  while ((await ask()).status !== status) await pause(20);
}

test('another server goes by what a tenant creates, changes and deletes', async (t) => {
  const [here, there] = [first.client.tenant('change'), second.client.tenant('change')];
  assertError(t, await there.get('Patient?ring=gold'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const { id } = await createParameter(here, parameterOf('ring'));
  await until(200, () => there.get('Patient?ring=gold'));
  const { body } = await there.post<Patient>('Patient', patientWith('ring', 'gold'));
  t.deepEqual(matchesOf(await here.get<Bundle>('Patient?ring=gold')), [body.id]);
  await patchParameter(there, id, [{ op: 'replace', path: '/status', value: 'retired' }]);
  await until(400, () => here.get('Patient?ring=gold'));
  await patchParameter(here, id, [{ op: 'replace', path: '/status', value: 'active' }]);
  await until(200, () => there.get('Patient?ring=gold'));
  t.is((await there.delete(`SearchParameter/${id}`)).status, 204);
  await until(400, () => here.get('Patient?ring=gold'));
});

test('of two servers that give one code to a type of a tenant at once, one is refused', async (t) => {
  const clients = [first, second].map(({ client }) => client.tenant('race'));
  const answers = await Promise.all(
    clients.map((client, at) =>
      client.post('SearchParameter', { ...parameterOf('eye'), url: `http://example.org/eye-${at}` }),
    ),
  );
  t.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 422]);
});

test('where the setting is off, what tenants hold is not in force, and comes back complete', async (t) => {
  const { directory, partitionParameters } = first.parts;
  const { id } = await createParameter(first.client.tenant('setting'), parameterOf('shoe'));
  const parameters = await partitionParameters.own(directory.byName('setting')!.id);
  await parameters?.markIndexed(parameters.pendingPaths());
  const off = (await openFor(t, {})).tenant('setting');
  assertError(t, await off.get('Patient?shoe=red'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  assertError(t, await off.get(`SearchParameter/${id}`), 404, 'NOT_FOUND');
  t.is((await off.get('metadata')).text.includes('example.org/SearchParameter/shoe'), false);
  const { body } = await off.post<Patient>('Patient', patientWith('shoe', 'red'));
  const again = (await openFor(t, ON)).tenant('setting');
  const found = await again.get<Bundle>('Patient?shoe=red');
  t.deepEqual(matchesOf(found), [body.id]);
  t.deepEqual(warningsOf(found), []);
});

test('a partition that never had parameters of its own goes by the shared ones themselves', async (t) => {
  await createParameter(first.client.tenant('own'), parameterOf('belt'));
  const { parameters, partitionParameters, directory } = first.parts;
  t.is(partitionParameters.of(directory.byName('none')!.id), parameters);
  t.not(await partitionParameters.of(directory.byName('own')!.id), parameters);
});
