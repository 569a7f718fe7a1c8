import test from 'ava';
import type { Bundle, OperationOutcome, Parameters, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

function patch(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  return client.send<Patient>('PATCH', path, {
    body,
    headers: { ...(Array.isArray(body) ? JSON_PATCH : {}), ...headers },
  });
}

function toPart([name, value]: [string, object | string]) {
  if (typeof value === 'object') return { name, ...value };
  return name === 'type' ? { name, valueCode: value } : { name, valueString: value };
}

function fhirPathPatch(...operations: readonly Readonly<Record<string, object | string>>[]): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: operations.map((operation) => ({
      name: 'operation',
      part: Object.entries(operation).map(toPart),
    })),
  };
}

test('a JSON Patch makes the next version', async (t) => {
  const { id } = await client.createPatient({ gender: 'female', name: [{ family: 'Ode' }] });
  const answer = await patch(`Patient/${id}`, [
    { op: 'test', path: '/gender', value: 'female' },
    { op: 'replace', path: '/gender', value: 'male' },
    { op: 'add', path: '/name/-', value: { family: 'Second' } },
  ]);
  t.is(answer.status, 200);
  t.is(answer.body.gender, 'male');
  t.deepEqual(answer.body.name, [{ family: 'Ode' }, { family: 'Second' }]);
  t.is(answer.headers.get('etag'), 'W/"2"');
  t.is(answer.headers.get('content-location'), `${server.url}/Patient/${id}/_history/2`);
});

test('a FHIRPath Patch makes the next version', async (t) => {
  const { id } = await client.createPatient({ name: [{ family: 'Ode' }] });
  const answer = await patch(
    `Patient/${id}`,
    fhirPathPatch(
      { type: 'add', path: 'Patient', name: 'birthDate', value: { valueDate: '1930-01-01' } },
      { type: 'replace', path: 'Patient.name[0].family', value: { valueString: 'Other' } },
    ),
  );
  t.is(answer.status, 200, answer.text);
  t.is(answer.body.birthDate, '1930-01-01');
  t.is(answer.body.name?.[0]?.family, 'Other');
  t.is(answer.body.meta?.versionId, '2');
});

test('a patch obeys If-Match', async (t) => {
  const { id } = await client.createPatient({ gender: 'female' });
  const change = [{ op: 'replace', path: '/gender', value: 'male' }];
  assertError(t, await patch(`Patient/${id}`, change, { 'if-match': 'W/"2"' }), 412, 'VERSION_MISMATCH');
  t.is((await patch(`Patient/${id}`, change, { 'if-match': 'W/"1"' })).status, 200);
});

test('a patch obeys Prefer', async (t) => {
  const { id } = await client.createPatient({ gender: 'female' });
  const change = [{ op: 'replace', path: '/gender', value: 'male' }];
  const minimal = await patch(`Patient/${id}`, change, { prefer: 'return=minimal' });
  t.is(minimal.status, 200);
  t.is(minimal.text, '');
  const outcome = await client.send('PATCH', `Patient/${id}`, {
    body: change,
    headers: { ...JSON_PATCH, prefer: 'return=OperationOutcome' },
  });
  t.is(outcome.body.resourceType, 'OperationOutcome');
});

test('a JSON Patch that fails changes nothing: a test that does not hold, a path that is not there', async (t) => {
  const { id } = await client.createPatient({ gender: 'female' });
  const failing = [
    [
      { op: 'replace', path: '/gender', value: 'male' },
      { op: 'test', path: '/gender', value: 'other' },
    ],
    [{ op: 'remove', path: '/birthDate' }],
    [{ op: 'replace', path: '/name/0/family', value: 'x' }],
    [{ op: 'add', path: '/name/5', value: {} }],
  ];
  for (const change of failing) {
    const answer = await patch(`Patient/${id}`, change);
    t.true(answer.status === 400 || answer.status === 422, `${answer.status}: ${answer.text}`);
  }
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('what is no patch is 400', async (t) => {
  const { id } = await client.createPatient();
  const bad: (object | string)[] = [
    '{}',
    '"x"',
    'null',
    '7',
    [{ op: 'explode', path: '/gender' }],
    [{ op: 'replace' }],
    [null],
    [{ op: 'add', path: 'gender', value: 'male' }],
    [{ op: 'add', path: '/__proto__/polluted', value: 'x' }],
    { resourceType: 'Patient', id },
    {
      resourceType: 'Parameters',
      parameter: [{ name: 'operation', part: [{ name: 'type', valueCode: 'explode' }] }],
    },
    { resourceType: 'Parameters', parameter: 'x' },
    fhirPathPatch({ type: 'delete', path: 'Patient.name.where(' }),
    fhirPathPatch({ type: 'replace', path: 'Patient.birthDate', value: { valueDate: '1930-01-01' } }),
  ];
  for (const body of bad) {
    const headers = Array.isArray(body) || typeof body === 'string' ? JSON_PATCH : {};
    const answer = await client.send('PATCH', `Patient/${id}`, { body, headers });
    t.true(
      answer.status === 400 || answer.status === 422,
      `${JSON.stringify(body)}: ${answer.status} ${answer.text}`,
    );
    t.is(answer.body.resourceType, 'OperationOutcome');
  }
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('a patch cannot change id or type, and its result is validated', async (t) => {
  const { id } = await client.createPatient({ gender: 'female' });
  for (const change of [
    [{ op: 'replace', path: '/id', value: 'other' }],
    [{ op: 'remove', path: '/id' }],
    [{ op: 'replace', path: '/resourceType', value: 'Group' }],
    [{ op: 'replace', path: '', value: { resourceType: 'Group', id } }],
  ]) {
    const answer = await patch(`Patient/${id}`, change);
    t.true(answer.status === 400 || answer.status === 422, `${answer.status}: ${answer.text}`);
  }
  assertError(
    t,
    await patch(`Patient/${id}`, [{ op: 'replace', path: '/gender', value: 'robot' }]),
    422,
    'INVALID_RESOURCE',
  );
  t.deepEqual((await client.get<Patient>(`Patient/${id}`)).body.id, id);
});

test('a patch of what does not exist is 404, and of what was deleted 410', async (t) => {
  const change = [{ op: 'add', path: '/gender', value: 'male' }];
  assertError(t, await patch('Patient/never', change), 404, 'NOT_FOUND');
  const { id } = await client.createPatient();
  await client.delete(`Patient/${id}`);
  assertError(t, await patch(`Patient/${id}`, change), 410, 'GONE');
});

test('a patch through another tenant is 404', async (t) => {
  const { id } = await client.tenant('acme').createPatient();
  const answer = await client
    .tenant('beta')
    .send('PATCH', `Patient/${id}`, { body: [], headers: JSON_PATCH });
  assertError(t, answer, 404, 'NOT_FOUND');
});

test('a merge patch or another media type is 415', async (t) => {
  const { id } = await client.createPatient();
  for (const type of [
    'application/merge-patch+json',
    'application/xml-patch+xml',
    'application/merge-patch+xml',
    'text/plain',
  ]) {
    const answer = await client.send('PATCH', `Patient/${id}`, {
      body: '{"gender":"male"}',
      headers: { 'content-type': type },
    });
    assertError(t, answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
  }
});

test('exact decimals survive a patch of something else', async (t) => {
  const body =
    '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}';
  const created = await client.post<{ id: string }>('Observation', body);
  const answer = await client.send('PATCH', `Observation/${created.body.id}`, {
    body: [{ op: 'replace', path: '/status', value: 'amended' }],
    headers: JSON_PATCH,
  });
  t.is(answer.status, 200);
  t.true(answer.text.includes('"value":1.00'), answer.text);
});

test('20 concurrent patches that append each keep the others', async (t) => {
  const { id } = await client.createPatient({ name: [{ family: 'first' }] });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      patch(`Patient/${id}`, [{ op: 'add', path: '/name/-', value: { family: `n${index}` } }]),
    ),
  );
  t.true(answers.every(({ status }) => status === 200));
  t.is((await client.get<Patient>(`Patient/${id}`)).body.name?.length, 21);
  t.is((await client.get<Bundle>(`Patient/${id}/_history`)).body.total, 21);
});

test('what a JSON Patch does not find is told as FHIRPath', async (t) => {
  const { id } = await client.createPatient({ gender: 'female', name: [{ family: 'Ode' }] });
  const told = async (operation: object) => {
    const answer = await patch(`Patient/${id}`, [operation]);
    assertError(t, answer, 422, 'INVALID_RESOURCE');
    return (answer.body as unknown as OperationOutcome).issue[0]?.expression;
  };
  t.deepEqual(await told({ op: 'test', path: '/gender', value: 'male' }), ['Patient.gender']);
  t.deepEqual(await told({ op: 'remove', path: '/name/0/given/2' }), ['Patient.name[0].given[2]']);
  t.deepEqual(await told({ op: 'replace', path: '/_birthDate/extension', value: [] }), [
    'Patient.birthDate.extension',
  ]);
  t.is(await told({ op: 'remove', path: '/a b/~1c' }), undefined);
  const url = `Patient/${id}`;
  const data = Buffer.from('[{"op":"remove","path":"/active"}]').toString('base64');
  const resource = { resourceType: 'Binary', contentType: 'application/json-patch+json', data };
  const bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource, request: { method: 'PATCH', url } }],
  };
  const refused = await client.post('', bundle);
  assertError(t, refused, 422, 'INVALID_RESOURCE');
  t.deepEqual(refused.body.issue[0]?.expression, ['Bundle.entry[0].resource.active']);
});

test('a patch of another kind is 415, with those that there are', async (t) => {
  const { id } = await client.createPatient();
  for (const type of ['application/xml-patch+xml', 'application/merge-patch+json', 'text/plain']) {
    const answer = await client.send('PATCH', `Patient/${id}`, {
      body: '{}',
      headers: { 'content-type': type },
    });
    assertError(t, answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    t.regex(
      answer.headers.get('accept-patch') ?? '',
      /^application\/json-patch\+json, application\/fhir\+json/,
    );
  }
});
