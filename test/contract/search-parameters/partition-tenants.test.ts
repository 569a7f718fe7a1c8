import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { partitionGuard } from '../../../interceptors/index.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, parameterOf, patientWith } from './fixtures.js';

/** Nobody writes to beta, and nobody reads beside DEFAULT there. */
const guard = partitionGuard({
  allow: ({ partitions, target }) =>
    target.interaction !== 'create' || partitions.every(({ name }) => name !== 'beta'),
});
const server = await createTestServer({
  partitions: ['acme', 'beta'],
  settings: {
    partitionSearchParameters: true,
    partitioning: ['url', 'header'],
    conformanceWrites: 'reject',
  },
  interceptors: [guard],
});
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const VALUE_SET = { resourceType: 'ValueSet', status: 'active' };

test('where definitions cannot be written under a tenant, its own parameters can', async (t) => {
  const acme = client.tenant('acme');
  assertError(t, await acme.post('ValueSet', VALUE_SET), 422, 'NOT_PARTITIONABLE');
  t.is((await acme.post('SearchParameter', parameterOf('reject'))).status, 201);
});

test('a guard judges who may write a parameter of a tenant', async (t) => {
  assertError(
    t,
    await client.tenant('beta').post('SearchParameter', parameterOf('guarded')),
    403,
    'FORBIDDEN',
  );
});

test('a tenant that a header names has its own parameters too', async (t) => {
  const headers = { 'x-tenant-id': 'acme' };
  t.is((await client.post('SearchParameter', parameterOf('header'), headers)).status, 201);
  const { body } = await client.post<Patient>('Patient', patientWith('header', 'x'), headers);
  t.deepEqual(matchesOf(await client.get<Bundle>('Patient?header=x', headers)), [body.id]);
  assertError(t, await client.get('Patient?header=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const several = { 'x-request-partition-ids': '1,2' };
  assertError(t, await client.get('Patient?header=x', several), 400, 'UNKNOWN_SEARCH_PARAMETER');
});
