import test from 'ava';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function identified(value: string, more: object = {}) {
  return { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }], ...more };
}

function searchFor(value: string): string {
  return `identifier=urn:mrn|${value}`;
}

test('conditional create: none matches, it is created', async (t) => {
  const value = uniqueValue();
  const answer = await client.post<Patient>('Patient', identified(value), {
    'if-none-exist': searchFor(value),
  });
  t.is(answer.status, 201);
  t.is(await client.count(`Patient?${searchFor(value)}`), 1);
});

test('conditional create: one matches, it is answered with 200 and nothing is created', async (t) => {
  const value = uniqueValue();
  const first = await client.post<Patient>('Patient', identified(value));
  for (const header of [
    searchFor(value),
    `?${searchFor(value)}`,
    `Patient?${searchFor(value)}`,
    `identifier=urn%3Amrn%7C${value}`,
  ]) {
    const again = await client.post<Patient>('Patient', identified(value, { gender: 'male' }), {
      'if-none-exist': header,
    });
    t.is(again.status, 200, header);
    t.is(again.headers.get('etag'), 'W/"1"');
    t.is(again.headers.get('location'), `${server.url}/Patient/${first.body.id}/_history/1`);
    t.deepEqual(again.body, first.body);
  }
  t.is(await client.count(`Patient?${searchFor(value)}`), 1);
});

test('conditional create: several match, 412', async (t) => {
  const value = uniqueValue();
  await client.post('Patient', identified(value));
  await client.post('Patient', identified(value));
  const answer = await client.post('Patient', identified(value), { 'if-none-exist': searchFor(value) });
  assertError(t, answer, 412, 'SEVERAL_MATCHES');
  t.is(await client.count(`Patient?${searchFor(value)}`), 2);
});

test('conditional create: a match in another tenant does not count', async (t) => {
  const value = uniqueValue();
  await client.tenant('acme').post('Patient', identified(value));
  const answer = await client
    .tenant('beta')
    .post('Patient', identified(value), { 'if-none-exist': searchFor(value) });
  t.is(answer.status, 201);
});

test('a condition that cannot be understood is 400, and nothing is created', async (t) => {
  const value = uniqueValue();
  for (const header of [
    '',
    '?',
    'nonsense=1',
    'identifier=',
    '_count=1',
    'birthdate=soon',
    'name:bogus=x',
    'identifier=%zz',
  ]) {
    const answer = await client.post('Patient', identified(value), {
      'if-none-exist': header,
      prefer: 'handling=lenient',
    });
    t.is(answer.status, 400, `${header}: ${answer.text}`);
    t.is(answer.body.resourceType, 'OperationOutcome');
  }
  t.is(await client.count(`Patient?${searchFor(value)}`), 0);
});

test('conditional update: none matches and no id is sent, it is created', async (t) => {
  const value = uniqueValue();
  const answer = await client.put<Patient>(`Patient?${searchFor(value)}`, identified(value));
  t.is(answer.status, 201);
  t.is(answer.headers.get('location'), `${server.url}/Patient/${answer.body.id}/_history/1`);
});

test('conditional update: none matches and an id is sent, it is created with that id', async (t) => {
  const value = uniqueValue();
  const id = uniqueValue();
  const answer = await client.put<Patient>(`Patient?${searchFor(value)}`, identified(value, { id }));
  t.is(answer.status, 201);
  t.is(answer.body.id, id);
});

test('conditional update: one matches, without or with its id, it is updated', async (t) => {
  const value = uniqueValue();
  const { body } = await client.post<Patient>('Patient', identified(value));
  const without = await client.put<Patient>(
    `Patient?${searchFor(value)}`,
    identified(value, { gender: 'male' }),
  );
  t.is(without.status, 200);
  t.is(without.body.id, body.id);
  t.is(without.body.meta?.versionId, '2');
  const withId = await client.put<Patient>(`Patient?${searchFor(value)}`, identified(value, { id: body.id }));
  t.is(withId.status, 200);
  t.is(withId.body.meta?.versionId, '3');
});

test('conditional update: one matches and another id is sent, 400', async (t) => {
  const value = uniqueValue();
  await client.post('Patient', identified(value));
  assertError(
    t,
    await client.put(`Patient?${searchFor(value)}`, identified(value, { id: 'another' })),
    400,
    'INVALID_REQUEST',
  );
});

test('conditional update: none matches and the id is of another resource, 409, and that stays as it is', async (t) => {
  const [value, id] = [uniqueValue(), uniqueValue()];
  const { body } = await client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id, active: true });
  const update = () => client.put(`Patient?${searchFor(value)}`, identified(value, { id }));
  assertError(t, await update(), 409, 'DUPLICATE');
  t.deepEqual((await client.get<Patient>(`Patient/${id}`)).body, body);
  t.is(
    (await client.tenant('beta').put(`Patient?${searchFor(value)}`, identified(value, { id }))).status,
    201,
  );
  await client.delete(`Patient/${id}`);
  t.is((await update()).status, 201);
  t.is((await update()).status, 200);
});

/** HTTP dates by their distance from now. */
const httpDate = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

test('If-Unmodified-Since keeps a write from what has changed, unless If-Match decides', async (t) => {
  const { id } = await client.createPatient();
  const put = (headers: Record<string, string>) =>
    client.put(`Patient/${id}`, { resourceType: 'Patient', id }, headers);
  const late = { 'if-unmodified-since': httpDate(-60) };
  assertError(t, await put(late), 412, 'PRECONDITION_FAILED');
  assertError(t, await client.delete(`Patient/${id}`, late), 412, 'PRECONDITION_FAILED');
  const patch = { body: [], headers: { 'content-type': 'application/json-patch+json', ...late } };
  assertError(t, await client.send('PATCH', `Patient/${id}`, patch), 412, 'PRECONDITION_FAILED');
  assertError(t, await put({ 'if-unmodified-since': 'lately' }), 400, 'INVALID_REQUEST');
  t.is((await put({ 'if-unmodified-since': httpDate(60) })).status, 200);
  t.is((await put({ ...late, 'if-match': 'W/"2"' })).status, 200);
  const none = uniqueValue();
  t.is((await client.put(`Patient/${none}`, { resourceType: 'Patient', id: none }, late)).status, 201);
  const entry = [
    { resource: { resourceType: 'Patient', id }, request: { method: 'PUT', url: `Patient/${id}` } },
  ];
  t.is((await client.post('', { resourceType: 'Bundle', type: 'transaction', entry }, late)).status, 200);
});

test('If-Match and If-Unmodified-Since hold for reads too', async (t) => {
  const { id } = await client.createPatient();
  const read = (headers: Record<string, string>) => client.get(`Patient/${id}`, headers);
  assertError(t, await read({ 'if-match': 'W/"7"' }), 412, 'VERSION_MISMATCH');
  assertError(t, await read({ 'if-unmodified-since': httpDate(-60) }), 412, 'PRECONDITION_FAILED');
  for (const headers of [
    { 'if-match': 'W/"1"' },
    { 'if-match': '*' },
    { 'if-unmodified-since': httpDate(60) },
    { 'if-match': '"1"', 'if-unmodified-since': httpDate(-60) },
  ])
    t.is((await read(headers)).status, 200, JSON.stringify(headers));
  assertError(t, await client.get(`Patient/${uniqueValue()}`, { 'if-match': '*' }), 404, 'NOT_FOUND');
  const beta = await client.tenant('beta').get(`Patient/${id}`, { 'if-match': 'W/"1"' });
  assertError(t, beta, 404, 'NOT_FOUND');
});

test('conditional update: several match, 412', async (t) => {
  const value = uniqueValue();
  await client.post('Patient', identified(value));
  await client.post('Patient', identified(value));
  assertError(t, await client.put(`Patient?${searchFor(value)}`, identified(value)), 412, 'SEVERAL_MATCHES');
});

test('conditional update without any criterion is 400', async (t) => {
  assertError(t, await client.put('Patient', identified('x')), 400, 'INVALID_REQUEST');
  assertError(t, await client.put('Patient?_format=json', identified('x')), 400, 'INVALID_REQUEST');
  t.is((await client.put('Patient?nonsense=1', identified('x'))).status, 400);
});

test('conditional patch: none 404, one 200, several 412', async (t) => {
  const value = uniqueValue();
  const body = [{ op: 'add', path: '/gender', value: 'male' }];
  const headers = { 'content-type': 'application/json-patch+json' };
  const patch = () => client.send<Patient>('PATCH', `Patient?${searchFor(value)}`, { body, headers });
  assertError(t, await patch(), 404, 'NOT_FOUND');
  await client.post('Patient', identified(value));
  const one = await patch();
  t.is(one.status, 200);
  t.is(one.body.gender, 'male');
  await client.post('Patient', identified(value));
  assertError(t, await patch(), 412, 'SEVERAL_MATCHES');
});

test('conditional delete: none 204, one 204 and gone, several 412 and nothing deleted', async (t) => {
  const value = uniqueValue();
  const none = await client.delete(`Patient?${searchFor(value)}`);
  t.is(none.status, 204);
  const { body } = await client.post<Patient>('Patient', identified(value));
  t.is((await client.delete(`Patient?${searchFor(value)}`)).status, 204);
  t.is((await client.get(`Patient/${body.id}`)).status, 410);
  await client.post('Patient', identified(value));
  await client.post('Patient', identified(value));
  assertError(t, await client.delete(`Patient?${searchFor(value)}`), 412, 'SEVERAL_MATCHES');
  t.is(await client.count(`Patient?${searchFor(value)}`), 2);
});

test('conditional delete never reaches into another tenant', async (t) => {
  const value = uniqueValue();
  const { body } = await client.tenant('acme').post<Patient>('Patient', identified(value));
  t.is((await client.tenant('beta').delete(`Patient?${searchFor(value)}`)).status, 204);
  t.is((await client.tenant('acme').get(`Patient/${body.id}`)).status, 200);
});

test('conditional interactions obey If-Match', async (t) => {
  const value = uniqueValue();
  await client.post('Patient', identified(value));
  const stale = { 'if-match': 'W/"9"' };
  assertError(
    t,
    await client.put(`Patient?${searchFor(value)}`, identified(value), stale),
    412,
    'VERSION_MISMATCH',
  );
  assertError(t, await client.delete(`Patient?${searchFor(value)}`, stale), 412, 'VERSION_MISMATCH');
});

test('a conditional reference outside of a transaction is 400', async (t) => {
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient?identifier=urn:mrn|1' },
  };
  const answer = await client.post<OperationOutcome>('Observation', body);
  assertError(t, answer, 400, 'INVALID_REQUEST');
  t.deepEqual(answer.body.issue[0]?.expression, ['Observation.subject']);
});

test('history knows nothing of conditional creates that found a match', async (t) => {
  const value = uniqueValue();
  const { body } = await client.post<Patient>('Patient', identified(value));
  await client.post('Patient', identified(value), { 'if-none-exist': searchFor(value) });
  t.is((await client.get<Bundle>(`Patient/${body.id}/_history`)).body.total, 1);
});
