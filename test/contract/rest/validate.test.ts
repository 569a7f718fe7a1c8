import test from 'ava';
import type { OperationOutcome } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function errorsOf({ body }: Answer<OperationOutcome>): readonly (string | undefined)[] {
  return body.issue.filter(({ severity }) => severity === 'error').map(({ expression }) => expression?.[0]);
}

test('$validate answers 200 with a word of information where nothing is wrong', async (t) => {
  const answer = await client.post('Patient/$validate', {
    resourceType: 'Patient',
    gender: 'male',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
  });
  t.is(answer.status, 200);
  t.deepEqual(errorsOf(answer), []);
});

test.serial('$validate answers 200 with every finding, invariants too, and stores nothing', async (t) => {
  const before = await client.count('Patient');
  const answer = await client.post('Patient/$validate', {
    resourceType: 'Patient',
    gender: 'robot',
    nmae: 1,
  });
  t.is(answer.status, 200);
  t.deepEqual(errorsOf(answer).toSorted(), ['Patient.gender', 'Patient.nmae']);
  const invariant = await client.post('Patient/$validate', {
    resourceType: 'Patient',
    contact: [{ gender: 'male' }],
  });
  t.true(invariant.text.includes('pat-1'), invariant.text);
  t.is(await client.count('Patient'), before);
});

test('$validate takes the resource in Parameters, with mode and profile', async (t) => {
  const parameter = [
    { name: 'resource', resource: { resourceType: 'Patient', gender: 'robot' } },
    { name: 'mode', valueCode: 'create' },
    { name: 'profile', valueUri: 'http://hl7.org/fhir/StructureDefinition/Patient' },
  ];
  const answer = await client.post('Patient/$validate', { resourceType: 'Parameters', parameter });
  t.is(answer.status, 200);
  t.deepEqual(errorsOf(answer), ['Patient.gender']);
  const byQuery = await client.post(
    'Patient/$validate?profile=http://hl7.org/fhir/StructureDefinition/Group',
    { resourceType: 'Patient' },
  );
  t.is(errorsOf(byQuery).length, 1);
});

test('$validate of a stored resource takes it from the store', async (t) => {
  const { id } = await client.createPatient();
  t.is((await client.get(`Patient/${id}/$validate`)).status, 200);
  assertError(t, await client.get('Patient/never/$validate'), 404, 'NOT_FOUND');
  const { id: foreign } = await client.tenant('acme').createPatient();
  assertError(t, await client.tenant('beta').get(`Patient/${foreign}/$validate`), 404, 'NOT_FOUND');
});

test('$validate reports another type than the URL says', async (t) => {
  const answer = await client.post('Patient/$validate', {
    resourceType: 'Group',
    type: 'person',
    actual: true,
  });
  t.is(answer.status, 200);
  t.true(errorsOf(answer).length > 0);
});

test('$validate without a resource, or with parameters that cannot be, is 400', async (t) => {
  assertError(t, await client.get('Patient/$validate'), 400, 'INVALID_REQUEST');
  assertError(
    t,
    await client.post('Patient/$validate', { resourceType: 'Parameters' }),
    400,
    'INVALID_REQUEST',
  );
  assertError(
    t,
    await client.post('Patient/$validate?mode=nonsense', { resourceType: 'Patient' }),
    400,
    'INVALID_REQUEST',
  );
  assertError(
    t,
    await client.post('Patient/$validate?nonsense=1', { resourceType: 'Patient' }),
    400,
    'INVALID_REQUEST',
  );
  assertError(t, await client.post('Patient/$validate', [1]), 400, 'INVALID_REQUEST');
});

test('$validate of hostile content finds instead of failing', async (t) => {
  for (const resource of [
    '{"resourceType":"Patient","name":7}',
    '{"resourceType":"Nonsense"}',
    '{"resourceType":"Patient","contained":[[]]}',
    '{"resourceType":"Patient","extension":[{"url":"x","valueString":{"a":1}}]}',
  ]) {
    const answer = await client.post('Patient/$validate', resource);
    t.is(answer.status, 200, resource);
    t.true(errorsOf(answer).length > 0, resource);
  }
});
