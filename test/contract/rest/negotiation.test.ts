import test from 'ava';
import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test('JSON media types are accepted, and what leaves no room for JSON or XML is 406', async (t) => {
  const { id } = await client.createPatient();
  for (const accept of [
    'application/fhir+json',
    'application/json',
    'application/fhir+json;fhirVersion=4.0',
    'application/fhir+json; charset=utf-8',
    '*/*',
    'application/*',
    'application/fhir+xml;q=0.5, application/fhir+json',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'text/json',
  ]) {
    const answer = await client.get(`Patient/${id}`, { accept });
    t.is(answer.status, 200, accept);
    t.is(answer.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  }
  for (const accept of ['application/pdf', 'text/turtle', 'image/png', 'application/fhir+json;q=0']) {
    assertError(t, await client.get(`Patient/${id}`, { accept }), 406, 'NOT_ACCEPTABLE');
  }
});

test('another version of FHIR than 4.0 is 406 in Accept and 415 in Content-Type', async (t) => {
  assertError(
    t,
    await client.get('metadata', { accept: 'application/fhir+json; fhirVersion=5.0' }),
    406,
    'NOT_ACCEPTABLE',
  );
  assertError(
    t,
    await client.post(
      'Patient',
      { resourceType: 'Patient' },
      { 'content-type': 'application/fhir+json; fhirVersion=3.0' },
    ),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  );
  t.is(
    (
      await client.post(
        'Patient',
        { resourceType: 'Patient' },
        { 'content-type': 'application/fhir+json; fhirVersion=4.0' },
      )
    ).status,
    201,
  );
});

test('_format beats Accept', async (t) => {
  const { id } = await client.createPatient();
  for (const format of [
    'json',
    'application/json',
    'application/fhir+json',
    'application%2Ffhir%2Bjson',
    'text/json',
  ]) {
    t.is(
      (await client.get(`Patient/${id}?_format=${format}`, { accept: 'application/fhir+xml' })).status,
      200,
      format,
    );
  }
  for (const format of ['ttl', 'text/turtle', 'html', 'nonsense']) {
    assertError(t, await client.get(`Patient/${id}?_format=${format}`), 406, 'NOT_ACCEPTABLE');
  }
});

test('errors are JSON where the client accepts neither JSON nor XML', async (t) => {
  const answer = await client.get<OperationOutcome>('Patient/never', { accept: 'text/turtle' });
  t.is(answer.status, 406);
  t.is(answer.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  t.is(answer.body.resourceType, 'OperationOutcome');
});

test('a body that is neither JSON nor XML by its type is 415', async (t) => {
  for (const type of [
    'application/xml-patch+xml',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/fhir+json; charset=iso-8859-1',
    'nonsense',
  ]) {
    const answer = await client.post('Patient', '{"resourceType":"Patient"}', { 'content-type': type });
    assertError(t, answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
  }
  for (const type of [
    'application/json',
    'application/fhir+json;charset=UTF-8',
    'text/json',
    'APPLICATION/FHIR+JSON',
  ]) {
    t.is(
      (await client.post('Patient', '{"resourceType":"Patient"}', { 'content-type': type })).status,
      201,
      type,
    );
  }
});

test('a JSON Patch media type is for PATCH alone', async (t) => {
  const answer = await client.post('Patient', '{"resourceType":"Patient"}', {
    'content-type': 'application/json-patch+json',
  });
  assertError(t, answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
});

test('Prefer: return decides the body of a write; headers are the same', async (t) => {
  const send = (prefer: string) => client.post<Patient>('Patient', { resourceType: 'Patient' }, { prefer });
  const minimal = await send('return=minimal');
  t.is(minimal.status, 201);
  t.is(minimal.text, '');
  t.truthy(minimal.headers.get('location'));
  t.truthy(minimal.headers.get('etag'));
  t.is((await send('return=representation')).body.resourceType, 'Patient');
  const outcome = await client.post<OperationOutcome>(
    'Patient',
    { resourceType: 'Patient' },
    { prefer: 'return=OperationOutcome' },
  );
  t.is(outcome.body.issue[0]?.severity, 'information');
  t.is((await send('return="minimal"')).text, '');
  t.is((await send('Return = Minimal')).text, '');
  t.is((await send('respond-async; wait=10, return=minimal')).text, '');
});

test('a Prefer that is not understood is passed over', async (t) => {
  for (const prefer of ['return=nonsense', 'nonsense', '', 'return', 'handling=strict']) {
    const answer = await client.post<Patient>('Patient', { resourceType: 'Patient' }, { prefer });
    t.is(answer.status, 201);
    t.is(answer.body.resourceType, 'Patient');
  }
});

test('_summary, _elements or _format that cannot be, in a write, are refused before anything is stored', async (t) => {
  const family = 'NotStored';
  for (const query of ['_summary=nonsense', '_format=ttl']) {
    const answer = await client.post(`Patient?${query}`, { resourceType: 'Patient', name: [{ family }] });
    t.true(answer.status === 400 || answer.status === 406, query);
  }
  t.is(await client.count(`Patient?family=${family}`), 0);
});

test('handling=lenient leaves out unknown search parameters, which strict refuses', async (t) => {
  assertError(t, await client.get('Patient?nonsense=1'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const lenient = await client.get('Patient?nonsense=1', { prefer: 'handling=lenient' });
  t.is(lenient.status, 200);
  for (const prefer of [
    'Handling="lenient"',
    'return=minimal, handling = lenient; x=y',
    'HANDLING=LENIENT',
  ]) {
    t.is((await client.get('Patient?nonsense=1', { prefer })).status, 200, prefer);
    t.is((await client.get('Patient/_history?nonsense=1', { prefer })).status, 200, prefer);
  }
  const strict = await client.get('Patient?nonsense=1', { prefer: 'handling=lenientish' });
  assertError(t, strict, 400, 'UNKNOWN_SEARCH_PARAMETER');
});

test('a write answers pretty where that is asked for', async (t) => {
  t.true((await client.post('Patient?_pretty=true', { resourceType: 'Patient' })).text.includes('\n  "id"'));
  t.true((await client.get('metadata?_pretty=true')).text.includes('\n  "'));
  t.true((await client.get('Patient?_pretty=true')).text.includes('\n  "'));
});
