import test from 'ava';
import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test('read gives the current version with ETag and Last-Modified', async (t) => {
  const patient = await client.createPatient({ gender: 'female' });
  const answer = await client.get<Patient>(`Patient/${patient.id}`);
  t.is(answer.status, 200);
  t.deepEqual(answer.body, patient);
  t.is(answer.headers.get('etag'), 'W/"1"');
  t.is(answer.headers.get('last-modified'), new Date(patient.meta?.lastUpdated ?? '').toUTCString());
});

test('vread gives the version that is asked for, and 404 for one that never was', async (t) => {
  const patient = await client.createPatient({ gender: 'female' });
  await client.put(`Patient/${patient.id}`, { ...patient, gender: 'male' });
  const first = await client.get<Patient>(`Patient/${patient.id}/_history/1`);
  const second = await client.get<Patient>(`Patient/${patient.id}/_history/2`);
  t.deepEqual(first.body, patient);
  t.is(second.body.gender, 'male');
  t.is(first.headers.get('etag'), 'W/"1"');
  t.is(second.headers.get('etag'), 'W/"2"');
  for (const version of ['3', '0', '01', '-1', 'x', '1.0', '99999999999999999999']) {
    assertError(t, await client.get(`Patient/${patient.id}/_history/${version}`), 404, 'NOT_FOUND');
  }
});

test('an id that was never used is 404, and one that was deleted is 410', async (t) => {
  assertError(t, await client.get('Patient/never'), 404, 'NOT_FOUND');
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  assertError(t, await client.get(`Patient/${id}`), 410, 'GONE');
  assertError(t, await client.get(`Patient/${id}/_history/2`), 410, 'GONE');
  t.is((await client.get(`Patient/${id}/_history/1`)).status, 200);
});

test('an id of another tenant is answered exactly like one that was never used', async (t) => {
  const { id } = await client.tenant('acme').createPatient();
  const beta = client.tenant('beta');
  for (const suffix of ['', '/_history/1', '/_history', '/$meta']) {
    const foreign = await beta.get<OperationOutcome>(`Patient/${id}${suffix}`);
    const unused = await beta.get<OperationOutcome>(`Patient/${'f'.repeat(id.length)}${suffix}`);
    t.is(foreign.status, 404);
    t.is(foreign.text.replaceAll(id, ''), unused.text.replaceAll('f'.repeat(id.length), ''));
    t.deepEqual([...foreign.headers.keys()], [...unused.headers.keys()]);
  }
});

test('HEAD has the status and headers of GET and no body', async (t) => {
  const { id } = await client.createPatient();
  const get = await client.get(`Patient/${id}`);
  const head = await client.send('HEAD', `Patient/${id}`);
  t.is(head.status, 200);
  t.is(head.text, '');
  for (const name of ['etag', 'last-modified', 'content-type', 'content-length']) {
    t.is(head.headers.get(name), get.headers.get(name), name);
  }
  t.is((await client.send('HEAD', 'Patient/never')).status, 404);
  t.is((await client.send('HEAD', `Patient/${id}/_history/1`)).status, 200);
  t.is((await client.send('HEAD', 'metadata')).status, 200);
  t.is((await client.send('HEAD', 'Patient')).status, 200);
});

test('If-None-Match with the current version is 304 without a body, with another 200', async (t) => {
  const { id } = await client.createPatient();
  for (const tag of ['W/"1"', '"1"', 'W/"7", W/"1"', '*']) {
    const answer = await client.get(`Patient/${id}`, { 'if-none-match': tag });
    t.is(answer.status, 304, tag);
    t.is(answer.text, '');
    t.is(answer.headers.get('etag'), 'W/"1"');
  }
  t.is((await client.get(`Patient/${id}`, { 'if-none-match': 'W/"2"' })).status, 200);
});

test('If-Modified-Since compares by the second and yields to If-None-Match', async (t) => {
  const { id } = await client.createPatient();
  const modified = (await client.get(`Patient/${id}`)).headers.get('last-modified') ?? '';
  const earlier = new Date(Date.parse(modified) - 1000).toUTCString();
  t.is((await client.get(`Patient/${id}`, { 'if-modified-since': modified })).status, 304);
  t.is((await client.get(`Patient/${id}`, { 'if-modified-since': earlier })).status, 200);
  const both = { 'if-modified-since': modified, 'if-none-match': 'W/"9"' };
  t.is((await client.get(`Patient/${id}`, both)).status, 200);
});

test('conditions reveal nothing of what does not exist', async (t) => {
  assertError(t, await client.get('Patient/never', { 'if-none-match': '*' }), 404, 'NOT_FOUND');
  const { id } = await client.tenant('acme').createPatient();
  assertError(
    t,
    await client.tenant('beta').get(`Patient/${id}`, { 'if-none-match': 'W/"1"' }),
    404,
    'NOT_FOUND',
  );
});

test('an If-None-Match or If-Modified-Since that cannot be read is 400', async (t) => {
  const { id } = await client.createPatient();
  assertError(t, await client.get(`Patient/${id}`, { 'if-none-match': 'W/"1' }), 400, 'INVALID_REQUEST');
  assertError(t, await client.get(`Patient/${id}`, { 'if-modified-since': 'soon' }), 400, 'INVALID_REQUEST');
});

test('_elements, _summary and _pretty shape a read', async (t) => {
  const { id } = await client.createPatient({
    gender: 'female',
    name: [{ family: 'Ode' }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Ode</div>' },
  });
  const elements = await client.get<Patient>(`Patient/${id}?_elements=gender`);
  t.is(elements.body.gender, 'female');
  t.is(elements.body.name, undefined);
  t.is(elements.body.id, id);
  t.true(elements.body.meta?.tag?.some(({ code }) => code === 'SUBSETTED'));
  const text = await client.get<Patient>(`Patient/${id}?_summary=text`);
  t.truthy(text.body.text);
  t.is(text.body.gender, undefined);
  const data = await client.get<Patient>(`Patient/${id}?_summary=data`);
  t.is(data.body.text, undefined);
  t.is(data.body.gender, 'female');
  t.is((await client.get<Patient>(`Patient/${id}?_summary=false`)).body.text?.status, 'generated');
  t.true((await client.get(`Patient/${id}?_pretty=true`)).text.includes('\n  "resourceType"'));
  assertError(t, await client.get(`Patient/${id}?_summary=much`), 400, 'INVALID_REQUEST');
});

const OF_NOTHING = [
  '_elements=gendre',
  '_elements=gender,name.famly',
  '_elements=Observation.code',
  '_elements=Patient',
];

test('_elements that lead to nothing are 400, also where something would be written', async (t) => {
  const { id } = await client.createPatient({ gender: 'female' });
  for (const query of OF_NOTHING) {
    const answer = await client.get(`Patient/${id}?${query}`);
    assertError(t, answer, 400, 'INVALID_REQUEST');
    t.deepEqual(answer.body.issue[0]?.location, ['http._elements']);
    t.is(answer.body.issue[0]?.expression, undefined);
    assertError(t, await client.get(`Patient/${id}/_history/1?${query}`), 400, 'INVALID_REQUEST');
    assertError(t, await client.get(`Patient/${id}/_history?${query}`), 400, 'INVALID_REQUEST');
    const update = await client.put(`Patient/${id}?${query}`, { resourceType: 'Patient', id });
    assertError(t, update, 400, 'INVALID_REQUEST');
  }
  assertError(t, await client.get('_history?_elements=nothingOfAnyType'), 400, 'INVALID_REQUEST');
  assertError(t, await client.get(`Patient/${id}?_elements=`), 400, 'INVALID_REQUEST');
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
  for (const query of [
    'Patient.gender',
    'deceased',
    'deceasedBoolean',
    'name.period.start',
    'contained.code',
  ])
    t.is((await client.get(`Patient/${id}?_elements=${query}`)).status, 200, query);
});

test('_elements and _summary say which elements come, and do not stand beside each other', async (t) => {
  const { id } = await client.createPatient({ gender: 'female', birthDate: '1930-01-01' });
  const both = await client.get(`Patient/${id}?_elements=gender&_summary=data`);
  assertError(t, both, 400, 'INVALID_REQUEST');
  const whole = await client.get<Patient>(`Patient/${id}?_elements=gender&_summary=false`);
  t.deepEqual(Object.keys(whole.body), ['resourceType', 'id', 'meta', 'gender']);
  const twice = await client.get<Patient>(`Patient/${id}?_elements=gender&_elements=birthDate`);
  t.deepEqual(Object.keys(twice.body), ['resourceType', 'id', 'meta', 'gender', 'birthDate']);
});

test('_summary=count of what has no total is 400', async (t) => {
  const { id } = await client.createPatient();
  for (const path of [`Patient/${id}`, `Patient/${id}/_history/1`, 'metadata'])
    assertError(t, await client.get(`${path}?_summary=count`), 400, 'INVALID_REQUEST');
});

test('with lenient handling a read passes over what says nothing of how it looks', async (t) => {
  const { id } = await client.createPatient({ gender: 'female', birthDate: '1930-01-01' });
  const keysOf = async (query: string): Promise<readonly string[]> => {
    const { body } = await client.get<Patient>(`Patient/${id}?${query}`, { prefer: 'handling=lenient' });
    return Object.keys(body).slice(3);
  };
  const whole = ['gender', 'birthDate'];
  for (const query of OF_NOTHING.filter((one) => !one.includes(',')).concat('_summary=count'))
    t.deepEqual(await keysOf(query), whole, query);
  t.deepEqual(await keysOf('_elements=gender,nothing'), ['gender']);
  t.deepEqual(await keysOf('_elements=gender&_summary=data'), whole);
});

test('a read with a summary does not change what is stored', async (t) => {
  const patient = await client.createPatient({ gender: 'female' });
  await client.get(`Patient/${patient.id}?_elements=id`);
  t.deepEqual((await client.get<Patient>(`Patient/${patient.id}`)).body, patient);
});
