import test from 'ava';
import type { Bundle, Patient, SearchParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, codeOf, FhirClient } from '../support/fhir-client.js';
import { createParameter, createServerPair, parameterOf } from './fixtures.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

/** No two patients with one identifier and one date of birth. */
function uniqueParameter(more: Partial<SearchParameter> = {}): SearchParameter {
  return parameterOf('patient-key', {
    type: 'composite',
    expression: 'Patient',
    extension: [{ url: 'http://hapifhir.io/fhir/StructureDefinition/sp-unique', valueBoolean: true }],
    component: ['Patient-identifier', 'individual-birthdate'].map((id) => ({
      definition: `http://hl7.org/fhir/SearchParameter/${id}`,
      expression: 'Patient',
    })),
    ...more,
  });
}

function patient(value: string, birthDate?: string): Patient {
  return {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:unique', value }],
    ...(birthDate === undefined ? {} : { birthDate }),
  };
}

test.before(async () => {
  const { status } = await acme.post('Patient', patient('before', '1970-01-01'));
  if (status !== 201) throw new Error(`create answered ${status}`);
  await createParameter(client, uniqueParameter());
});

test('a second resource with the combination is refused, and named by its parameter alone', async (t) => {
  t.is((await acme.post('Patient', patient('one', '1970-01-01'))).status, 201);
  const refused = await acme.post('Patient', patient('one', '1970-01-01'));
  assertError(t, refused, 409, 'DUPLICATE');
  t.is(
    refused.body.issue[0]?.diagnostics,
    'Another Patient has the values that http://example.org/SearchParameter/patient-key demands to be unique.',
  );
});

test('each partition has its own, and a part alone is not the whole', async (t) => {
  t.is((await acme.post('Patient', patient('two', '1970-01-01'))).status, 201);
  t.is((await client.tenant('beta').post('Patient', patient('two', '1970-01-01'))).status, 201);
  t.is((await acme.post('Patient', patient('two', '1970-01'))).status, 201);
  t.is((await acme.post('Patient', patient('two'))).status, 201);
  t.is((await acme.post('Patient', patient('two'))).status, 201);
});

test('what was written before the parameter counts too', async (t) => {
  assertError(t, await acme.post('Patient', patient('before', '1970-01-01')), 409, 'DUPLICATE');
});

test('an update is judged like a create, and gives free what it leaves', async (t) => {
  const create = async (value: string) =>
    (await acme.post<Patient>('Patient', patient(value, '1980-02-02'))).body;
  const [first, second] = [await create('three'), await create('four')];
  const change = (one: Patient, value: string) =>
    acme.put(`Patient/${one.id}`, { ...patient(value, '1980-02-02'), id: one.id });
  assertError(t, await change(second, 'three'), 409, 'DUPLICATE');
  t.is((await change(first, 'three')).status, 200);
  t.is((await change(first, 'five')).status, 200);
  t.is((await change(second, 'three')).status, 200);
  assertError(t, await change(first, 'three'), 409, 'DUPLICATE');
  t.is((await acme.delete(`Patient/${second.id}`)).status, 204);
  t.is((await change(first, 'three')).status, 200);
});

test('a transaction is refused as a whole, for what it holds twice and for what is there', async (t) => {
  const transaction = (...values: readonly string[]) =>
    acme.post<Bundle>('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: values.map((value) => ({
        request: { method: 'POST', url: 'Patient' },
        resource: patient(value, '1990-03-03'),
      })),
    });
  assertError(t, await transaction('six', 'six'), 409, 'DUPLICATE');
  t.is((await transaction('six', 'seven')).status, 200);
  assertError(t, await transaction('eight', 'six'), 409, 'DUPLICATE');
  t.is(await acme.count('Patient?identifier=urn:unique|eight'), 0);
});

test('a resource with several values has every combination of them', async (t) => {
  const both = {
    ...patient('nine', '1991-01-01'),
    identifier: ['nine', 'ten'].map((value) => ({ system: 'urn:unique', value })),
  };
  t.is((await acme.post('Patient', both)).status, 201);
  assertError(t, await acme.post('Patient', patient('ten', '1991-01-01')), 409, 'DUPLICATE');
});

test('of many that come at once, on several servers, one is stored', async (t) => {
  const pair = await createServerPair();
  await createParameter(pair.clients[0], uniqueParameter());
  await pair.servers[1].bulkhead.parts.parameters.refresh();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      pair.clients[at % 2]!.post('Patient', patient('race', '1999-09-09')),
    ),
  );
  t.deepEqual(answers.map((answer) => (answer.status === 201 ? 'created' : codeOf(answer))).toSorted(), [
    ...Array.from({ length: 9 }, () => 'DUPLICATE'),
    'created',
  ]);
  await pair.stop();
});

/** The status of what answers such a parameter. */
async function statusOf(more: Partial<SearchParameter>): Promise<number> {
  const url = 'http://example.org/x';
  return (await client.post('SearchParameter', uniqueParameter({ url, code: 'x', ...more }))).status;
}

test('a unique parameter must be composite, of parts that each of its types has', async (t) => {
  t.is(await statusOf({ type: 'string', expression: 'Patient.name' }), 422);
  t.is(await statusOf({ base: ['Patient', 'Observation'] }), 422);
  t.is(await statusOf({ base: ['DomainResource'] }), 422);
});
