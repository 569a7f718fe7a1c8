import test from 'ava';
import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test('create answers 201 with a versioned Location, ETag, Last-Modified and the stored resource', async (t) => {
  const answer = await client.post<Patient>('Patient', {
    resourceType: 'Patient',
    name: [{ family: 'Ode' }],
  });
  t.is(answer.status, 201);
  const { id, meta, name } = answer.body;
  t.is(answer.headers.get('location'), `${server.url}/Patient/${id}/_history/1`);
  t.is(answer.headers.get('etag'), 'W/"1"');
  t.is(
    new Date(answer.headers.get('last-modified') ?? '').getTime(),
    Math.floor(Date.parse(meta?.lastUpdated ?? '') / 1000) * 1000,
  );
  t.is(answer.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  t.is(meta?.versionId, '1');
  t.deepEqual(name, [{ family: 'Ode' }]);
});

test('the Location of a create carries the tenant of the request and can be read', async (t) => {
  const answer = await client.tenant('acme').post<Patient>('Patient', { resourceType: 'Patient' });
  const location = answer.headers.get('location') ?? '';
  t.is(location, `${server.url}/acme/Patient/${answer.body.id}/_history/1`);
  const read = await client.get<Patient>(location);
  t.is(read.status, 200);
  t.deepEqual(read.body, answer.body);
});

test('create ignores the id, versionId and lastUpdated of the client, and keeps its labels', async (t) => {
  const meta = {
    versionId: '77',
    lastUpdated: '1999-01-01T00:00:00Z',
    tag: [{ system: 'urn:t', code: 'kept' }],
  };
  const { body } = await client.post<Patient>('Patient', { resourceType: 'Patient', id: 'mine', meta });
  t.not(body.id, 'mine');
  t.is(body.meta?.versionId, '1');
  t.true(Date.parse(body.meta?.lastUpdated ?? '') > Date.parse('2020-01-01'));
  t.deepEqual(body.meta?.tag, [{ system: 'urn:t', code: 'kept' }]);
  t.is((await client.get('Patient/mine')).status, 404);
});

test('a create whose body is of another type than the URL is 400 INVALID_REQUEST', async (t) => {
  assertError(t, await client.post('Patient', { resourceType: 'Observation' }), 400, 'INVALID_REQUEST');
});

test('a body without a resourceType, or that is no object, is 400', async (t) => {
  assertError(t, await client.post('Patient', { name: [] }), 400, 'INVALID_REQUEST');
  assertError(t, await client.post('Patient', { resourceType: 7 }), 400, 'INVALID_REQUEST');
  for (const body of ['[]', '"text"', '1', 'null', 'true']) {
    assertError(t, await client.post('Patient', body), 400, 'INVALID_REQUEST');
  }
});

test('an invalid resource is 422 with an issue, a code and an expression for every finding', async (t) => {
  const answer = await client.post<OperationOutcome>('Patient', {
    resourceType: 'Patient',
    gender: 'robot',
    birthDate: 'yesterday',
    nmae: [{ family: 'x' }],
  });
  assertError(t, answer, 422, 'INVALID_RESOURCE');
  const expressions = answer.body.issue.flatMap(({ expression }) => expression ?? []).toSorted();
  t.deepEqual(expressions, ['Patient.birthDate', 'Patient.gender', 'Patient.nmae']);
  t.true(answer.body.issue.every(({ details }) => details?.coding?.[0]?.code === 'INVALID_RESOURCE'));
});

test('a missing mandatory element is 422', async (t) => {
  const answer = await client.post<OperationOutcome>('Observation', {
    resourceType: 'Observation',
    status: 'final',
  });
  assertError(t, answer, 422, 'INVALID_RESOURCE');
  t.true(answer.body.issue.some(({ expression }) => expression?.[0] === 'Observation.code'));
});

test('nothing is stored of a create that was refused', async (t) => {
  const before = await client.count('Patient?gender=other');
  await client.post('Patient', { resourceType: 'Patient', gender: 'other', nmae: 1 });
  t.is(await client.count('Patient?gender=other'), before);
});

test('a reference to what does not exist is 400 and names the place', async (t) => {
  const answer = await client.post<OperationOutcome>('Observation', {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/never' },
  });
  assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
  t.deepEqual(answer.body.issue[0]?.expression, ['Observation.subject']);
});

test('a text that is no reference at all is 422 wherever it stands, and names the place', async (t) => {
  for (const reference of [
    'Foo/1',
    'patient/1',
    'Patient/',
    'Patient?',
    '/Patient/1',
    'acme/Patient/1',
    'x',
  ]) {
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference },
    };
    const answer = await client.post<OperationOutcome>('Observation', observation);
    assertError(t, answer, 422, 'INVALID_RESOURCE');
    t.deepEqual(answer.body.issue[0]?.expression, ['Observation.subject.reference'], reference);
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: observation, request: { method: 'POST', url: 'Observation' } }],
    };
    const refused = await client.post<OperationOutcome>('', bundle);
    assertError(t, refused, 422, 'INVALID_RESOURCE');
    t.deepEqual(refused.body.issue[0]?.expression, ['Bundle.entry[0].resource.subject.reference']);
  }
});

test('a reference to a deleted resource is 400', async (t) => {
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${id}` },
  };
  assertError(t, await client.post('Observation', body), 400, 'REFERENCE_NOT_FOUND');
});

test('an absolute reference below the own base is stored relative', async (t) => {
  const { id } = await client.createPatient();
  const subject = { reference: `${server.url}/Patient/${id}` };
  const body = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject };
  const answer = await client.post<{ subject: object }>('Observation', body);
  t.is(answer.status, 201);
  t.deepEqual(answer.body.subject, { reference: `Patient/${id}` });
});

test('references to other servers, to contained resources and by identifier are stored as they are', async (t) => {
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    contained: [{ resourceType: 'Patient', id: 'p' }],
    subject: { reference: '#p' },
    performer: [
      { reference: `${server.url}2/Practitioner/1` },
      { reference: 'https://other.example/fhir/Practitioner/1' },
      { reference: 'https://other.example/people?id=1' },
      { reference: 'urn:oid:1.2.3' },
      { identifier: { system: 'urn:x', value: '1' } },
    ],
  };
  const answer = await client.post<Record<string, unknown>>('Observation', body);
  t.is(answer.status, 201, answer.text);
  t.deepEqual(answer.body['performer'], body.performer);
  t.deepEqual(answer.body['subject'], body.subject);
});

test('POST to an id is 405 with Allow', async (t) => {
  const answer = await client.post('Patient/1', { resourceType: 'Patient' });
  assertError(t, answer, 405, 'METHOD_NOT_ALLOWED');
  t.is(answer.headers.get('allow'), 'GET, HEAD, PUT, PATCH, DELETE');
});
