import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { partitionGuard } from '../../../interceptors/index.js';
import { defineInterceptor, FhirError } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, parameterOf, patientWith } from './fixtures.js';

let isUndone = true;
/** Undoes a parameter after everything else was done. */
const undoing = defineInterceptor({
  name: 'undoing',
  hooks: {
    STORAGE_PRECOMMIT_RESOURCE_CREATED: ({ resource }) => {
      if (isUndone && resource['code'] === 'undone') throw new FhirError('FORBIDDEN', 'Not now.');
    },
  },
});

/** Nobody creates anything in beta. */
const guard = partitionGuard({
  allow: ({ partitions, target }) =>
    target.interaction !== 'create' || partitions.every(({ name }) => name !== 'beta'),
});
const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: {
    partitionSearchParameters: true,
    partitioning: ['url', 'header'],
    conformanceWrites: 'reject',
  },
  interceptors: [guard, undoing],
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

test('a parameter whose transaction came to nothing is not in force, and may come later', async (t) => {
  const acme = client.tenant('acme');
  assertError(t, await acme.post('SearchParameter', parameterOf('undone')), 403, 'FORBIDDEN');
  assertError(t, await acme.get('Patient?undone=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  isUndone = false;
  t.is((await acme.post('SearchParameter', parameterOf('undone'))).status, 201);
  t.is((await acme.get('Patient?undone=x')).status, 200);
});
