import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test('update makes the next version: 200, ETag, Last-Modified, Content-Location', async (t) => {
  const patient = await client.createPatient({ gender: 'female' });
  const answer = await client.put<Patient>(`Patient/${patient.id}`, { ...patient, gender: 'male' });
  t.is(answer.status, 200);
  t.is(answer.body.gender, 'male');
  t.is(answer.body.meta?.versionId, '2');
  t.is(answer.headers.get('etag'), 'W/"2"');
  t.is(answer.headers.get('content-location'), `${server.url}/Patient/${patient.id}/_history/2`);
  t.truthy(answer.headers.get('last-modified'));
  t.true((answer.body.meta?.lastUpdated ?? '') > (patient.meta?.lastUpdated ?? ''));
});

test('update ignores the versionId and lastUpdated of the body', async (t) => {
  const { id } = await client.createPatient();
  const meta = { versionId: '99', lastUpdated: '1999-01-01T00:00:00Z' };
  const { body } = await client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id, meta });
  t.is(body.meta?.versionId, '2');
  t.true((body.meta?.lastUpdated ?? '') > '2020');
});

test('update of an id that was never used creates it with version 1: 201 and Location', async (t) => {
  const id = uniqueValue();
  const answer = await client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id });
  t.is(answer.status, 201);
  t.is(answer.headers.get('location'), `${server.url}/Patient/${id}/_history/1`);
  t.is(answer.headers.get('etag'), 'W/"1"');
  t.is(answer.body.id, id);
});

test('the same id may be created in two tenants, and neither sees the other', async (t) => {
  const id = uniqueValue();
  for (const [tenant, gender] of [
    ['acme', 'male'],
    ['beta', 'female'],
  ] as const) {
    const answer = await client.tenant(tenant).put(`Patient/${id}`, { resourceType: 'Patient', id, gender });
    t.is(answer.status, 201);
  }
  t.is((await client.tenant('acme').get<Patient>(`Patient/${id}`)).body.gender, 'male');
  t.is((await client.tenant('beta').get<Patient>(`Patient/${id}`)).body.gender, 'female');
  t.is((await client.get(`Patient/${id}`)).status, 404);
});

test('a body with another id than the URL, or with none, is 400', async (t) => {
  const { id } = await client.createPatient();
  assertError(
    t,
    await client.put(`Patient/${id}`, { resourceType: 'Patient', id: 'other' }),
    400,
    'INVALID_REQUEST',
  );
  assertError(t, await client.put(`Patient/${id}`, { resourceType: 'Patient' }), 400, 'INVALID_REQUEST');
});

test('an update with the wrong type or an invalid resource changes nothing', async (t) => {
  const { id } = await client.createPatient();
  assertError(t, await client.put(`Patient/${id}`, { resourceType: 'Group', id }), 400, 'INVALID_REQUEST');
  assertError(
    t,
    await client.put(`Patient/${id}`, { resourceType: 'Patient', id, nmae: 1 }),
    422,
    'INVALID_RESOURCE',
  );
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('If-Match lets only the named version be replaced: 412 otherwise', async (t) => {
  const { id } = await client.createPatient();
  const body = { resourceType: 'Patient', id };
  t.is((await client.put(`Patient/${id}`, body, { 'if-match': 'W/"1"' })).status, 200);
  assertError(t, await client.put(`Patient/${id}`, body, { 'if-match': 'W/"1"' }), 412, 'VERSION_MISMATCH');
  t.is((await client.put(`Patient/${id}`, body, { 'if-match': '*' })).status, 200);
  assertError(t, await client.put(`Patient/${id}`, body, { 'if-match': 'W/1"' }), 400, 'INVALID_REQUEST');
});

test('If-Match on what does not exist is 412 and creates nothing', async (t) => {
  const id = uniqueValue();
  const answer = await client.put(`Patient/${id}`, { resourceType: 'Patient', id }, { 'if-match': 'W/"1"' });
  assertError(t, answer, 412, 'VERSION_MISMATCH');
  t.is((await client.get(`Patient/${id}`)).status, 404);
});

test('If-None-Match: * lets a PUT create, but never replace', async (t) => {
  const id = uniqueValue();
  const body = { resourceType: 'Patient', id };
  t.is((await client.put(`Patient/${id}`, body, { 'if-none-match': '*' })).status, 201);
  assertError(
    t,
    await client.put(`Patient/${id}`, body, { 'if-none-match': '*' }),
    412,
    'PRECONDITION_FAILED',
  );
});

test('If-Match of another tenant’s resource tells nothing of it', async (t) => {
  const { id } = await client.tenant('acme').createPatient();
  const answer = await client
    .tenant('beta')
    .put(`Patient/${id}`, { resourceType: 'Patient', id }, { 'if-match': 'W/"1"' });
  assertError(t, answer, 412, 'VERSION_MISMATCH');
});

test('an id that breaks the rules of FHIR ids is 400', async (t) => {
  for (const id of ['a b', 'ä', 'x'.repeat(65), 'a_b', '%24export', 'a@b']) {
    const answer = await client.put(`Patient/${encodeURIComponent(id)}`, { resourceType: 'Patient', id });
    assertError(t, answer, 400, 'INVALID_REQUEST');
  }
  t.is(
    (await client.put(`Patient/${'x'.repeat(64)}`, { resourceType: 'Patient', id: 'x'.repeat(64) })).status,
    201,
  );
});

test('of 20 concurrent updates each makes a version of its own', async (t) => {
  const { id } = await client.createPatient();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id })),
  );
  t.true(answers.every(({ status }) => status === 200));
  const versions = answers.map(({ body }) => Number(body.meta?.versionId)).toSorted((a, b) => a - b);
  t.deepEqual(
    versions,
    Array.from({ length: 20 }, (_, index) => index + 2),
  );
});

test('of 20 concurrent updates with the same If-Match exactly one wins', async (t) => {
  const { id } = await client.createPatient();
  const body = { resourceType: 'Patient', id };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => client.put(`Patient/${id}`, body, { 'if-match': 'W/"1"' })),
  );
  t.is(answers.filter(({ status }) => status === 200).length, 1);
  t.is(answers.filter(({ status }) => status === 412).length, 19);
});
