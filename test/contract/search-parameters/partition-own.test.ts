import test from 'ava';
import type { Bundle, CapabilityStatement, Patient, SearchParameter } from 'fhir/r4.js';
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

const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { partitionSearchParameters: true },
});
const client = new FhirClient(server.url);
const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
test.after.always(() => server.stop());

/** Codes that a tenant's CapabilityStatement names on Patient. */
async function codesOf(tenant: FhirClient): Promise<readonly (string | undefined)[]> {
  const { body } = await tenant.get<CapabilityStatement>('metadata');
  const patient = body.rest?.[0]?.resource?.find(({ type }) => type === 'Patient');
  return patient?.searchParam?.map(({ name }) => name) ?? [];
}

test('a parameter that a tenant creates holds for that tenant alone', async (t) => {
  const { status, headers } = await acme.post('SearchParameter', parameterOf('eye'));
  t.is(status, 201);
  t.regex(headers.get('location') ?? '', /\/acme\/SearchParameter\//);
  const { body } = await acme.post<Patient>('Patient', patientWith('eye', 'Blue'));
  await beta.post('Patient', patientWith('eye', 'Blue'));
  const found = await acme.get<Bundle>('Patient?eye=blu');
  t.deepEqual(matchesOf(found), [body.id]);
  t.regex(warningsOf(found).join(), /does not find all data yet/);
  for (const other of [beta, client, client.tenant('_ALL')])
    assertError(t, await other.get('Patient?eye=blu'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('only its own CapabilityStatement names it', async (t) => {
  await createParameter(acme, parameterOf('shoe'));
  t.true((await codesOf(acme)).includes('shoe'));
  for (const other of [beta, client, client.tenant('_ALL')]) t.false((await codesOf(other)).includes('shoe'));
});

// By itself: what others create meanwhile would be new, too.
test.serial(
  'a CapabilityStatement that was asked for before tells of what has come since, in its own words',
  async (t) => {
    const all = [acme, beta, client];
    for (const one of all) t.false((await codesOf(one)).includes('gauntlet'));
    const { id } = await createParameter(beta, parameterOf('gauntlet'));
    t.deepEqual(await Promise.all(all.map(async (one) => (await codesOf(one)).includes('gauntlet'))), [
      false,
      true,
      false,
    ]);
    await beta.delete(`SearchParameter/${id}`);
    await createParameter(client, parameterOf('gauntlet'));
    for (const one of all) {
      t.true((await codesOf(one)).includes('gauntlet'));
      const { body, text } = await one.get<CapabilityStatement>('metadata');
      t.is(body.implementation?.url, one.base);
      t.is((await one.get('metadata')).text, text);
      t.deepEqual((await one.get<CapabilityStatement>('metadata?_pretty=true')).body, body);
    }
  },
);

test('the resource is found and read under its tenant alone', async (t) => {
  const { id } = await createParameter(acme, parameterOf('hat'));
  const query = 'SearchParameter?code=hat';
  t.deepEqual(matchesOf(await acme.get<Bundle>(query)), [id]);
  t.is((await acme.get(`SearchParameter/${id}`)).status, 200);
  for (const other of [beta, client]) {
    t.deepEqual(matchesOf(await other.get<Bundle>(query)), []);
    assertError(t, await other.get(`SearchParameter/${id}`), 404, 'NOT_FOUND');
  }
});

test('a tenant reads and searches the shared ones besides', async (t) => {
  t.is((await acme.get('SearchParameter/Patient-link')).status, 200);
  t.deepEqual(matchesOf(await acme.get<Bundle>('SearchParameter?code=link&base=Patient')), ['Patient-link']);
});

test('two tenants give one code two meanings', async (t) => {
  const other = parameterOf('mark', { expression: 'Patient.name.family' });
  await createParameter(acme, parameterOf('mark'));
  await createParameter(beta, other);
  const patient = { ...patientWith('mark', 'one'), name: [{ family: 'two' }] };
  for (const [tenant, [found, missed]] of [
    [acme, ['one', 'two']],
    [beta, ['two', 'one']],
  ] as const) {
    const { body } = await tenant.post<Patient>('Patient', patient);
    t.deepEqual(matchesOf(await tenant.get<Bundle>(`Patient?mark=${found}`)), [body.id]);
    t.deepEqual(matchesOf(await tenant.get<Bundle>(`Patient?mark=${missed}`)), []);
  }
});

test('what overlaps a shared parameter is refused, until the tenant has replaced that for itself', async (t) => {
  const own = parameterOf('family', {
    expression: "Patient.extension('http://example.org/family').value.ofType(string)",
  });
  assertError(t, await acme.post('SearchParameter', own), 422, 'SEARCH_PARAMETER_OVERLAP');
  const { body: shared } = await acme.get<SearchParameter>('SearchParameter/individual-family');
  const put = await acme.put<SearchParameter>('SearchParameter/individual-family', {
    ...shared,
    base: ['Practitioner'],
  });
  t.is(put.status, 201);
  assertError(t, await acme.get('Patient?family=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.is((await beta.get('Patient?family=x')).status, 200);
  await createParameter(acme, own);
  const { body } = await acme.post<Patient>('Patient', patientWith('family', 'Own'));
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?family=own')), [body.id]);
  t.deepEqual(matchesOf(await beta.get<Bundle>('Patient?family=own')), []);
  const { body: there } = await beta.get<SearchParameter>('SearchParameter/individual-family');
  t.deepEqual(there.base, ['Patient', 'Practitioner']);
});

test('a replacement that is deleted brings the shared parameter back', async (t) => {
  const id = 'individual-phone';
  const { body: phone } = await beta.get<SearchParameter>(`SearchParameter/${id}`);
  await beta.put(`SearchParameter/${id}`, { ...phone, status: 'retired' });
  assertError(t, await beta.get('Patient?phone=1'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const history = await beta.get<Bundle>(`SearchParameter/${id}/_history`);
  t.deepEqual(
    history.body.entry?.map(({ resource }) => (resource as SearchParameter).status),
    ['retired'],
  );
  t.is((await beta.get<SearchParameter>(`SearchParameter/${id}/_history/1`)).body.status, 'retired');
  t.is((await beta.delete(`SearchParameter/${id}`)).status, 204);
  t.is((await beta.get('Patient?phone=1')).status, 200);
  t.is((await beta.get<SearchParameter>(`SearchParameter/${id}`)).body.status, 'active');
});

test('a shared parameter that comes later leaves a code that a tenant has to the tenant', async (t) => {
  await createParameter(acme, parameterOf('glove'));
  const { body } = await acme.post<Patient>('Patient', patientWith('glove', 'left'));
  await createParameter(client, {
    ...parameterOf('glove', { expression: 'Patient.name.text' }),
    url: 'http://example.org/SearchParameter/shared-glove',
  });
  const elsewhere = await beta.post<Patient>('Patient', {
    resourceType: 'Patient',
    name: [{ text: 'left' }],
  });
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?glove=left')), [body.id]);
  t.deepEqual(matchesOf(await beta.get<Bundle>('Patient?glove=left')), [elsewhere.body.id]);
});

test('what is kept in DEFAULT cannot have a parameter of a tenant', async (t) => {
  const own = parameterOf('sort', { base: ['ValueSet'], expression: 'ValueSet.title' });
  const answer = await acme.post('SearchParameter', own);
  assertError(t, answer, 422, 'INVALID_RESOURCE');
  t.regex(answer.text, /ValueSet is kept in DEFAULT/);
});

test('a retired parameter is no longer in force, and comes back', async (t) => {
  const { id } = await createParameter(acme, parameterOf('belt'));
  const status = (value: string) => patchParameter(acme, id, [{ op: 'replace', path: '/status', value }]);
  await status('retired');
  assertError(t, await acme.get('Patient?belt=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const { body } = await acme.post<Patient>('Patient', patientWith('belt', 'black'));
  await status('active');
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?belt=black')), [body.id]);
});
