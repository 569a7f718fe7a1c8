import test from 'ava';
import type { Bundle, CapabilityStatement, Patient, SearchParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import {
  createServerPair,
  createParameter,
  matchesOf,
  parameterOf,
  patchParameter,
  patientWith,
  warningsOf,
} from './fixtures.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

/** An entry of a transaction that creates a parameter. */
function entry(code: string, url: string): object {
  return { request: { method: 'POST', url: 'SearchParameter' }, resource: { ...parameterOf(code), url } };
}

test('a new parameter finds what is written from then on, in every tenant', async (t) => {
  assertError(t, await acme.get('Patient?eye=blue'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const { status, headers } = await acme.post('SearchParameter', parameterOf('eye'));
  t.is(status, 201);
  t.regex(headers.get('location') ?? '', /\/DEFAULT\/SearchParameter\//);
  for (const from of [acme, client.tenant('beta')]) {
    const { body } = await from.post<Patient>('Patient', patientWith('eye', 'Blue'));
    t.deepEqual(matchesOf(await from.get<Bundle>('Patient?eye=blu')), [body.id]);
  }
});

test('the capability statement names it', async (t) => {
  await createParameter(client, parameterOf('shoe'));
  const { body } = await acme.get<CapabilityStatement>('metadata');
  const patient = body.rest?.[0]?.resource?.find(({ type }) => type === 'Patient');
  t.deepEqual(
    patient?.searchParam?.filter(({ name }) => name === 'shoe'),
    [{ name: 'shoe', definition: 'http://example.org/SearchParameter/shoe', type: 'string' }],
  );
});

test('what was written before is not found, and the answer says so', async (t) => {
  await acme.post('Patient', patientWith('hat', 'red'));
  await createParameter(client, parameterOf('hat'));
  const found = await acme.get<Bundle>('Patient?hat=red');
  t.deepEqual(matchesOf(found), []);
  t.regex(warningsOf(found).join(), /"hat" of Patient does not find all data yet/);
});

test('nothing is decided by a parameter that does not find all data', async (t) => {
  await createParameter(client, parameterOf('glove'));
  const headers = { 'if-none-exist': 'glove=left' };
  assertError(
    t,
    await acme.post('Patient', patientWith('glove', 'left'), headers),
    412,
    'PRECONDITION_FAILED',
  );
});

test('the warning ends when the paths are marked as indexed, also on another server', async (t) => {
  const pair = await createServerPair();
  const [first, second] = pair.clients;
  await createParameter(first, parameterOf('scarf'));
  const { parameters } = pair.servers[0].bulkhead.parts;
  t.like(parameters.pendingPaths(), [
    // Contained patients.
    { resourceType: '*', kind: 'composite', state: 'pending' },
    { resourceType: 'Patient', kind: 'string', state: 'pending' },
  ]);
  await parameters.markIndexed(parameters.pendingPaths());
  t.deepEqual(parameters.pendingPaths(), []);
  t.deepEqual(warningsOf(await first.get<Bundle>('Patient?scarf=red')), []);
  await pair.servers[1].bulkhead.parts.parameters.refresh();
  t.deepEqual(warningsOf(await second.get<Bundle>('Patient?scarf=red')), []);
  await pair.stop();
});

test('a parameter on elements that others are indexed by finds everything at once', async (t) => {
  const { body } = await acme.post<Patient>('Patient', {
    resourceType: 'Patient',
    name: [{ family: 'Ono' }],
  });
  await createParameter(client, parameterOf('surname', { expression: 'Patient.name.family' }));
  const found = await acme.get<Bundle>('Patient?surname=ono');
  t.deepEqual(matchesOf(found), [body.id]);
  t.deepEqual(warningsOf(found), []);
});

test('another server goes by a new parameter within a second, for searches and for writes', async (t) => {
  const pair = await createServerPair();
  const [first, second] = pair.clients;
  await createParameter(first, parameterOf('ring'));
  const end = Date.now() + 1_000;
  while ((await second.get('Patient?ring=gold')).status !== 200 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { body } = await second.post<Patient>('Patient', patientWith('ring', 'gold'));
  t.deepEqual(matchesOf(await first.get<Bundle>('Patient?ring=gold')), [body.id]);
  await pair.stop();
});

test('a draft or retired parameter is not in force, and a deleted one no longer', async (t) => {
  const { id } = await createParameter(client, parameterOf('belt', { status: 'draft' }));
  assertError(t, await acme.get('Patient?belt=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const status = (value: string) => patchParameter(client, id, [{ op: 'replace', path: '/status', value }]);
  await status('active');
  t.is((await acme.get('Patient?belt=x')).status, 200);
  await status('retired');
  assertError(t, await acme.get('Patient?belt=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  await status('active');
  t.is((await client.delete(`SearchParameter/${id}`)).status, 204);
  assertError(t, await acme.get('Patient?belt=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('rows of a retired parameter are kept right, so that it can come back', async (t) => {
  const { id } = await createParameter(client, parameterOf('tie'));
  const { parameters } = server.bulkhead.parts;
  // The other tests' paths stay as they are.
  await parameters.markIndexed(parameters.pendingPaths().filter(({ path }) => path.includes('/tie')));
  const { body } = await acme.post<Patient>('Patient', patientWith('tie', 'green'));
  const status = (value: string) => patchParameter(client, id, [{ op: 'replace', path: '/status', value }]);
  await status('retired');
  await acme.put(`Patient/${body.id}`, { ...patientWith('tie', 'black'), id: body.id });
  await status('active');
  const black = await acme.get<Bundle>('Patient?tie=black');
  t.deepEqual(matchesOf(black), [body.id]);
  t.deepEqual(warningsOf(black), []);
  t.is(await acme.count('Patient?tie=green'), 0);
});

test('an expression that only the engine knows indexes and finds', async (t) => {
  const expression = "Patient.name.given.select($this & '!')";
  await createParameter(client, parameterOf('shout', { expression }));
  const { body } = await acme.post<Patient>('Patient', {
    resourceType: 'Patient',
    name: [{ given: ['Bo'] }],
  });
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?shout:exact=Bo!')), [body.id]);
});

test('a transaction creates parameters and resources, and parameters are judged together', async (t) => {
  const same = await acme.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [entry('sock', 'http://example.org/one'), entry('sock', 'http://example.org/two')],
  });
  assertError(t, same, 422, 'SEARCH_PARAMETER_OVERLAP');
  t.is(await client.count('SearchParameter?code=sock'), 0);
  const both = await acme.post('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [entry('sock', 'http://example.org/one'), entry('shirt', 'http://example.org/two')],
  });
  t.is(both.status, 200, both.text);
  t.is((await acme.get('Patient?sock=x&shirt=y')).status, 200);
});

test('an update as create and a conditional create go by the same rules', async (t) => {
  t.is((await client.put('SearchParameter/cap', { ...parameterOf('cap'), id: 'cap' })).status, 201);
  t.is((await acme.get('Patient?cap=x')).status, 200);
  const headers = { 'if-none-exist': 'code=cap' };
  t.is((await client.post<SearchParameter>('SearchParameter', parameterOf('cap'), headers)).status, 200);
  const answers = await Promise.all(
    [1, 2, 3].map(() =>
      client.post('SearchParameter', parameterOf('vest'), { 'if-none-exist': 'code=vest' }),
    ),
  );
  t.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 201]);
});
