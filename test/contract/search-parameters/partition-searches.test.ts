import test from 'ava';
import type { Bundle, Observation, Parameters, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { createParameter, matchesOf, parameterOf, patientWith } from './fixtures.js';

const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { partitionSearchParameters: true },
});
const client = new FhirClient(server.url);
const [acme, beta, all] = [client.tenant('acme'), client.tenant('beta'), client.tenant('_ALL')];
test.after.always(() => server.stop());

/** Makes everything that a tenant's own parameters find complete, as a reindex would. */
async function complete(): Promise<void> {
  const { directory, partitionParameters } = server.bulkhead.parts;
  const live = await partitionParameters.own(directory.byName('acme')!.id);
  await live?.markIndexed(live.pendingPaths());
}

function createOnce(tenant: FhirClient) {
  return tenant.post<Patient>('Patient', patientWith('badge', '7'), { 'if-none-exist': 'badge=7' });
}

const DOCTOR = 'http://example.org/doctor';

function observationOf(patient: string | undefined): object {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    extension: [{ url: DOCTOR, valueReference: { reference: `Patient/${patient}` } }],
  };
}

test('chains, reverse chains, includes and sorts go by a tenant’s own parameters', async (t) => {
  await createParameter(acme, parameterOf('rank'));
  await createParameter(
    acme,
    parameterOf('doctor', {
      base: ['Observation'],
      type: 'reference',
      target: ['Patient'],
      expression: `Observation.extension('${DOCTOR}').value.ofType(Reference)`,
    }),
  );
  const { body: patient } = await acme.post<Patient>('Patient', patientWith('rank', 'one'));
  const { body: other } = await acme.post<Patient>('Patient', patientWith('rank', 'two'));
  const { body: seen } = await acme.post<Observation>('Observation', observationOf(patient.id));
  t.deepEqual(matchesOf(await acme.get<Bundle>('Observation?doctor.rank=one')), [seen.id]);
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?_has:Observation:doctor:_id:not=x')), [patient.id]);
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?rank:missing=false&_sort=-rank')), [
    other.id,
    patient.id,
  ]);
  const { body } = await acme.get<Bundle>('Observation?doctor:missing=false&_include=Observation:doctor');
  t.deepEqual(
    body.entry?.flatMap(({ search, resource }) => (search?.mode === 'include' ? resource?.id : [])),
    [patient.id],
  );
  for (const query of [
    'Observation?doctor.rank=one',
    'Patient?_sort=rank',
    'Observation?_include=Observation:doctor',
    'Patient?_has:Observation:doctor:_id=x',
    'Patient?_filter=rank eq one',
  ])
    for (const foreign of [beta, all, client]) {
      const { status, text } = await foreign.get(query);
      t.is(status, 400, query);
      t.notRegex(text, /acme|example\.org/);
    }
});

test('a scope of several partitions goes by the shared parameters, whatever they mean in one of them', async (t) => {
  const shared = { resourceType: 'Patient', telecom: [{ system: 'phone', value: '555' }] };
  const own = { ...shared, ...patientWith('phone', '777') };
  const id = 'individual-phone';
  const { body } = await acme.get<object>(`SearchParameter/${id}`);
  const expression = parameterOf('phone').expression;
  t.is(
    (await acme.put(`SearchParameter/${id}`, { ...body, expression, type: 'string', base: ['Patient'] }))
      .status,
    201,
  );
  const [{ body: here }, { body: there }] = [
    await acme.post<Patient>('Patient', own),
    await beta.post<Patient>('Patient', shared),
  ];
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?phone=777')), [here.id]);
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?phone=555')), []);
  t.deepEqual(
    matchesOf(await all.get<Bundle>('Patient?phone=555')).toSorted(),
    [here.id, there.id].toSorted(),
  );
  t.deepEqual(matchesOf(await all.get<Bundle>('Patient?phone=777')), []);
});

test('conditions are matched by a tenant’s own parameters', async (t) => {
  await createParameter(acme, parameterOf('badge'));
  await complete();
  t.deepEqual([(await createOnce(acme)).status, (await createOnce(acme)).status], [201, 200]);
  assertError(t, await createOnce(beta), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('a unique combination is demanded of its own tenant alone', async (t) => {
  const code = parameterOf('locker');
  await createParameter(acme, code);
  await createParameter(acme, {
    ...parameterOf('only-locker', { type: 'composite', expression: 'Patient' }),
    extension: [{ url: 'http://hapifhir.io/fhir/StructureDefinition/sp-unique', valueBoolean: true }],
    component: [{ definition: code.url, expression: 'Patient' }],
  });
  const statuses: number[] = [];
  for (const tenant of [acme, acme, beta, beta])
    statuses.push((await tenant.post('Patient', patientWith('locker', '1'))).status);
  t.deepEqual(statuses, [201, 409, 201, 201]);
});

test('a transaction may create a parameter and what it finds', async (t) => {
  const entry = [parameterOf('knot'), patientWith('knot', 'sheet bend')].map((resource) => ({
    request: { method: 'POST', url: (resource as Patient).resourceType },
    resource,
  }));
  const { status, body } = await acme.post<Bundle>('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  });
  t.is(status, 200);
  t.regex(body.entry?.[0]?.response?.location ?? '', /\/acme\/SearchParameter\//);
  t.is((await acme.get('Patient?knot=x')).status, 200);
  assertError(t, await beta.get('Patient?knot=x'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('pages of SearchParameters show a tenant’s own beside the shared ones', async (t) => {
  await createParameter(acme, parameterOf('paged'));
  const { body: shared } = await acme.get<object>('SearchParameter/individual-email');
  await acme.put('SearchParameter/individual-email', { ...shared, status: 'retired' });
  const urls: string[] = [];
  let next: string | undefined = `${acme.base}/SearchParameter?code=paged,email&_count=1`;
  while (next !== undefined) {
    const { body }: { body: Bundle } = await acme.get<Bundle>(next);
    urls.push(...(body.entry ?? []).map(({ fullUrl = '' }) => fullUrl.replace(client.base, '')));
    const link: string | undefined = body.link?.find(({ relation }) => relation === 'next')?.url;
    if (link !== undefined) t.is((await beta.get(link.replace('/acme', '/beta'))).status, 404);
    next = link;
  }
  t.true(urls.includes('/acme/SearchParameter/individual-email'));
  t.true(urls.includes('/DEFAULT/SearchParameter/individual-email'));
  t.is(urls.filter((url) => url.startsWith('/acme/')).length, 2);
  t.is(new Set(urls).size, urls.length);
});

test('an administrator sees how a tenant’s own parameter is searched', async (t) => {
  await createParameter(acme, parameterOf('traced'));
  const parameter = [
    { name: 'url', valueString: 'Patient?traced=x' },
    { name: 'tenant', valueString: 'acme' },
  ];
  const answer = await client.post<Parameters>('$search-explain', { resourceType: 'Parameters', parameter });
  t.is(answer.status, 200);
  assertError(t, await client.get('Patient?traced=x&_explain=true'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('a partition holds a bounded number of parameters', async (t) => {
  const entry = Array.from({ length: 501 }, (_, at) => ({
    request: { method: 'POST', url: 'SearchParameter' },
    resource: parameterOf(`many-${at}`, { status: 'draft' }),
  }));
  const body = { resourceType: 'Bundle', type: 'transaction', entry };
  assertError(t, await beta.post('', body), 400, 'LIMIT_EXCEEDED');
});
