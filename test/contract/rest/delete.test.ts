import test from 'ava';
import type { AuditEvent, Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function observationOf(id: string) {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${id}` },
  };
}

test('delete is 204 without a body, with the ETag of the deletion; then read is 410 and search finds nothing', async (t) => {
  const { id } = await client.createPatient();
  const answer = await client.delete(`Patient/${id}`);
  t.is(answer.status, 204);
  t.is(answer.text, '');
  t.is(answer.headers.get('etag'), 'W/"2"');
  const read = await client.get(`Patient/${id}`);
  assertError(t, read, 410, 'GONE');
  t.is(read.headers.get('etag'), 'W/"2"');
  t.is(await client.count(`Patient?_id=${id}`), 0);
});

test('a delete that is repeated, or of what never was, is 204 and makes no version', async (t) => {
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  t.is((await client.delete(`Patient/${id}`)).status, 204);
  t.is((await client.get<Bundle>(`Patient/${id}/_history`)).body.total, 2);
  t.is((await client.delete('Patient/never')).status, 204);
  t.is((await client.get('Patient/never')).status, 404);
});

test('PUT on a deleted id brings it back: 201, and versions go on', async (t) => {
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  const answer = await client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id, gender: 'male' });
  t.is(answer.status, 201);
  t.is(answer.headers.get('etag'), 'W/"3"');
  t.is(answer.headers.get('location'), `${server.url}/Patient/${id}/_history/3`);
  t.is((await client.get<Patient>(`Patient/${id}`)).body.gender, 'male');
  t.is(await client.count(`Patient?_id=${id}`), 1);
  assertError(t, await client.get(`Patient/${id}/_history/2`), 410, 'GONE');
});

test('what is referred to cannot be deleted: 409 with the referrer, until the referrer is gone', async (t) => {
  const { id } = await client.createPatient();
  const observation = await client.post<{ id: string }>('Observation', observationOf(id));
  const answer = await client.delete<OperationOutcome>(`Patient/${id}`);
  assertError(t, answer, 409, 'DELETE_CONFLICT');
  t.true(answer.body.issue[0]?.diagnostics?.includes(`Observation/${observation.body.id}`));
  t.is((await client.delete(`Observation/${observation.body.id}`)).status, 204);
  t.is((await client.delete(`Patient/${id}`)).status, 204);
});

test('of many referrers the ten oldest are named, whatever they refer by', async (t) => {
  const { id } = await client.createPatient();
  const visit = { resourceType: 'Encounter', status: 'planned', class: { code: 'AMB' } };
  const encounter = { ...visit, subject: { reference: `Patient/${id}` } };
  const names: string[] = [];
  for (const resource of [
    ...Array.from({ length: 8 }, () => encounter),
    ...Array(4).fill(observationOf(id)),
  ]) {
    const { body } = await client.post<{ id: string }>(resource.resourceType, resource);
    names.push(`${resource.resourceType}/${body.id}`);
  }
  const answer = await client.delete<OperationOutcome>(`Patient/${id}`);
  assertError(t, answer, 409, 'DELETE_CONFLICT');
  const told = answer.body.issue[0]?.diagnostics?.match(/(?:Encounter|Observation)\/[\w-]+/g);
  t.deepEqual(told, names.slice(0, 10));
});

test('a referrer whose new version no longer refers does not forbid the delete', async (t) => {
  const { id } = await client.createPatient();
  const other = await client.createPatient();
  const observation = await client.post<{ id: string }>('Observation', observationOf(id));
  await client.put(`Observation/${observation.body.id}`, {
    ...observationOf(other.id),
    id: observation.body.id,
  });
  t.is((await client.delete(`Patient/${id}`)).status, 204);
});

test('a resource that refers to itself can be deleted', async (t) => {
  const { id } = await client.createPatient();
  const link = [{ other: { reference: `Patient/${id}` }, type: 'seealso' }];
  await client.put(`Patient/${id}`, { resourceType: 'Patient', id, link });
  t.is((await client.delete(`Patient/${id}`)).status, 204);
});

test('delete obeys If-Match', async (t) => {
  const { id } = await client.createPatient();
  assertError(t, await client.delete(`Patient/${id}`, { 'if-match': 'W/"2"' }), 412, 'VERSION_MISMATCH');
  t.is((await client.delete(`Patient/${id}`, { 'if-match': 'W/"1"' })).status, 204);
});

test('delete through another tenant is 204 and deletes nothing', async (t) => {
  const { id } = await client.tenant('acme').createPatient();
  const foreign = await client.tenant('beta').delete(`Patient/${id}`);
  const unused = await client.tenant('beta').delete('Patient/never');
  t.is(foreign.status, unused.status);
  t.is(foreign.headers.get('etag'), null);
  t.is((await client.tenant('acme').get(`Patient/${id}`)).status, 200);
});

test('delete answers with an OperationOutcome where that is preferred', async (t) => {
  const { id } = await client.createPatient();
  const answer = await client.delete<OperationOutcome>(`Patient/${id}`, {
    prefer: 'return=OperationOutcome',
  });
  t.is(answer.status, 200);
  t.is(answer.body.issue[0]?.severity, 'information');
});

test('a delete of a whole type or of a version is refused', async (t) => {
  assertError(t, await client.delete('Patient'), 400, 'INVALID_REQUEST');
  const { id } = await client.createPatient();
  const version = await client.delete(`Patient/${id}/_history/1`);
  assertError(t, version, 405, 'METHOD_NOT_ALLOWED');
  t.is(version.headers.get('allow'), 'GET, HEAD');
  assertError(t, await client.delete(''), 405, 'METHOD_NOT_ALLOWED');
});

function auditEventOf(reference: string): AuditEvent {
  return {
    resourceType: 'AuditEvent',
    type: { code: 'rest' },
    recorded: '2026-01-31T00:00:00Z',
    agent: [{ requestor: true }],
    source: { observer: { display: 'a device' } },
    entity: [{ what: { reference } }],
  };
}

test('an AuditEvent keeps nothing from being deleted, and may tell of what was deleted', async (t) => {
  const { id } = await client.createPatient();
  const reference = `Patient/${id}`;
  t.is((await client.post('AuditEvent', auditEventOf(reference))).status, 201);
  t.is((await client.delete(reference)).status, 204);
  t.is((await client.post('AuditEvent', auditEventOf(reference))).status, 201);
  t.is(await client.count(`AuditEvent?entity=${reference}`), 2);
  const never = await client.post('AuditEvent', auditEventOf('Patient/never'));
  assertError(t, never, 400, 'REFERENCE_NOT_FOUND');
});

test('an AuditEvent tells of a delete in the same transaction, where nothing else may refer to what goes', async (t) => {
  const { id } = await client.createPatient();
  const event = { resource: auditEventOf(`Patient/${id}`), request: { method: 'POST', url: 'AuditEvent' } };
  const other = { resource: observationOf(id), request: { method: 'POST', url: 'Observation' } };
  const gone = { request: { method: 'DELETE', url: `Patient/${id}` } };
  const send = (...entry: readonly object[]) =>
    client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  t.not((await send(gone, event, other)).status, 200);
  t.is((await client.get(`Patient/${id}`)).status, 200);
  t.is((await send(gone, event)).status, 200);
  t.is((await client.get(`Patient/${id}`)).status, 410);
  t.is(await client.count(`AuditEvent?entity=Patient/${id}`), 1);
});
