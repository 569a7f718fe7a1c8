import test from 'ava';
import type { Binary, Bundle, BundleEntry, OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, codeOf, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function batch(entry: readonly object[], headers: Readonly<Record<string, string>> = {}, from = client) {
  return from.post<Bundle>('', { resourceType: 'Bundle', type: 'batch', entry }, headers);
}

function statuses({ entry = [] }: Bundle): readonly string[] {
  return entry.map(({ response }) => response?.status.slice(0, 3) ?? '');
}

function outcomeOf({ response }: BundleEntry): OperationOutcome {
  return response?.outcome as OperationOutcome;
}

test('a batch answers every entry in order, and one that fails does not touch the others', async (t) => {
  const { id } = await client.createPatient();
  const { status, body } = await batch([
    { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'GET', url: `Patient/${id}` } },
    { resource: { resourceType: 'Patient', gender: 'robot' }, request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'GET', url: 'Patient/never' } },
    { request: { method: 'DELETE', url: 'Patient/never' } },
    { request: { method: 'GET', url: 'Nonsense/1' } },
    { request: { method: 'GET', url: `Patient?_id=${id}` } },
    { resource: { resourceType: 'Patient', id: 'given' }, request: { method: 'PUT', url: 'Patient/given' } },
    { request: { method: 'FETCH', url: 'Patient' } },
    {},
  ]);
  t.is(status, 200);
  t.is(body.type, 'batch-response');
  t.deepEqual(statuses(body), ['201', '200', '422', '404', '204', '404', '200', '201', '400', '400']);
  const [created, read, invalid, missing, , , searched] = body.entry ?? [];
  t.regex(created?.response?.location ?? '', /\/Patient\/[^/]+\/_history\/1$/);
  t.is(created?.response?.etag, 'W/"1"');
  t.truthy(created?.response?.lastModified);
  t.is(read?.resource?.id, id);
  t.is(outcomeOf(invalid!).issue[0]?.details?.coding?.[0]?.code, 'INVALID_RESOURCE');
  t.is(outcomeOf(missing!).issue[0]?.details?.coding?.[0]?.code, 'NOT_FOUND');
  t.is((searched?.resource as Bundle | undefined)?.total, 1);
});

test('the conditions of entries hold: ifNoneExist, ifMatch, ifNoneMatch, ifModifiedSince', async (t) => {
  const value = uniqueValue();
  const resource = { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }] };
  const { body: existing } = await client.post<Patient>('Patient', resource);
  const url = `Patient/${existing.id}`;
  const { body } = await batch([
    { resource, request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=urn:mrn|${value}` } },
    { resource: { ...resource, id: existing.id }, request: { method: 'PUT', url, ifMatch: 'W/"9"' } },
    { request: { method: 'GET', url, ifNoneMatch: 'W/"1"' } },
    { request: { method: 'GET', url, ifModifiedSince: new Date(Date.now() + 5000).toISOString() } },
  ]);
  t.deepEqual(statuses(body), ['200', '412', '304', '304']);
});

test('conditional entries of a batch: update, patch and delete', async (t) => {
  const value = uniqueValue();
  const query = `Patient?identifier=urn:mrn|${value}`;
  const resource = { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }] };
  const put = await batch([{ resource, request: { method: 'PUT', url: query } }]);
  t.deepEqual(statuses(put.body), ['201']);
  const parameters = {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'add' },
          { name: 'path', valueString: 'Patient' },
          { name: 'name', valueString: 'gender' },
          { name: 'value', valueCode: 'male' },
        ],
      },
    ],
  };
  const patched = await batch([{ resource: parameters, request: { method: 'PATCH', url: query } }]);
  t.deepEqual(statuses(patched.body), ['200'], JSON.stringify(patched.body));
  const deleted = await batch([{ request: { method: 'DELETE', url: query } }]);
  t.deepEqual(statuses(deleted.body), ['204']);
});

test('a JSON Patch in a Binary works in a batch as in a transaction', async (t) => {
  const { id } = await client.createPatient();
  const data = Buffer.from(JSON.stringify([{ op: 'add', path: '/gender', value: 'male' }])).toString(
    'base64',
  );
  const resource = { resourceType: 'Binary', contentType: 'application/json-patch+json', data };
  const { body } = await batch([{ resource, request: { method: 'PATCH', url: `Patient/${id}` } }]);
  t.deepEqual(statuses(body), ['200'], JSON.stringify(body));
  t.is((await client.get<Patient>(`Patient/${id}`)).body.gender, 'male');
});

test('Prefer of the batch decides what entries carry', async (t) => {
  const entry = [{ resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }];
  const minimal = await batch(entry, { prefer: 'return=minimal' });
  t.is(minimal.body.entry?.[0]?.resource, undefined);
  t.is(minimal.body.entry?.[0]?.response?.outcome, undefined);
  const representation = await batch(entry, { prefer: 'return=representation' });
  t.is(representation.body.entry?.[0]?.resource?.resourceType, 'Patient');
  const outcome = await batch(entry, { prefer: 'return=OperationOutcome' });
  t.is(outcome.body.entry?.[0]?.resource, undefined);
  t.is(outcomeOf(outcome.body.entry![0]!).resourceType, 'OperationOutcome');
});

test('operations and the capabilities can be entries', async (t) => {
  const { id } = await client.createPatient();
  const { body } = await batch([
    { request: { method: 'GET', url: 'metadata' } },
    { request: { method: 'GET', url: `Patient/${id}/$meta` } },
    { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient/$validate' } },
    { request: { method: 'GET', url: `Patient/${id}/_history` } },
  ]);
  t.deepEqual(statuses(body), ['200', '200', '200', '200']);
  t.deepEqual(
    (body.entry ?? []).map(({ resource }) => resource?.resourceType),
    ['CapabilityStatement', 'Parameters', 'OperationOutcome', 'Bundle'],
  );
});

test('an entry of a batch may carry the URL of the own tenant, and no other', async (t) => {
  const acme = client.tenant('acme');
  const { id } = await acme.createPatient();
  const { body } = await batch(
    [
      `${acme.base}/Patient/${id}`,
      `Patient/${id}`,
      `/Patient/${id}`,
      `${client.base}/beta/Patient/${id}`,
      `https://other.example/Patient/${id}`,
      `../beta/Patient/${id}`,
      `beta/Patient/${id}`,
    ].map((url) => ({ request: { method: 'GET', url } })),
    {},
    acme,
  );
  t.deepEqual(statuses(body), ['200', '200', '200', '400', '400', '400', '400'], JSON.stringify(body));
});

test('a bundle in a bundle is refused entry by entry', async (t) => {
  const { body } = await batch([
    { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '' } },
  ]);
  t.deepEqual(statuses(body), ['400']);
});

test('an empty batch gives an empty answer', async (t) => {
  for (const bundle of [
    { resourceType: 'Bundle', type: 'batch' },
    { resourceType: 'Bundle', type: 'batch', entry: [] },
  ]) {
    const { status, body } = await client.post<Bundle>('', bundle);
    t.is(status, 200);
    t.is(body.entry, undefined);
  }
});

test('a bundle sent to an unknown tenant is 404, whatever it holds', async (t) => {
  assertError(
    t,
    await client.tenant('nobody').post('', { resourceType: 'Nonsense' }),
    404,
    'UNKNOWN_PARTITION',
  );
});

test('a bundle that is none, or of another type, is 400', async (t) => {
  for (const body of [
    { resourceType: 'Patient' },
    { resourceType: 'Bundle' },
    { resourceType: 'Bundle', type: 'collection' },
    { resourceType: 'Bundle', type: 'batch', entry: {} },
    { resourceType: 'Bundle', type: ['batch'] },
  ]) {
    assertError(t, await client.post('', body), 400, 'INVALID_REQUEST');
  }
});

test('what is wrong with a bundle or with the method of an entry is said', async (t) => {
  t.regex((await client.post('', { resourceType: 'Bundle' })).text, /A Bundle without a type/);
  const entry = [{ request: { method: 'FETCH', url: 'Patient' } }];
  const answer = await client.post<OperationOutcome>('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  });
  assertError(t, answer, 400, 'INVALID_REQUEST');
  t.deepEqual(answer.body.issue[0]?.expression, ['Bundle.entry[0].request.method']);
  t.regex(answer.text, /'FETCH'; use one of GET, HEAD, POST, PUT, PATCH, DELETE/);
});

test('entries that are garbage fail alone', async (t) => {
  const garbage = [
    null,
    7,
    'x',
    [],
    { request: 7 },
    { request: { method: 'GET' } },
    { request: { method: 'GET', url: 7 } },
    { request: { method: 'GET', url: 'Patient?%zz' } },
    { resource: 7, request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'GET', url: 'Patient', ifMatch: {} } },
    { request: { method: 'PUT', url: 'Patient/a b' } },
  ];
  const { status, body } = await batch(garbage as object[]);
  t.is(status, 200);
  t.deepEqual(
    statuses(body),
    garbage.map(() => '400'),
    JSON.stringify(body),
  );
  t.true((body.entry ?? []).every((entry) => outcomeOf(entry).issue.length > 0));
});

test('too many entries are 413', async (t) => {
  const entry = Array.from({ length: 5001 }, () => ({ request: { method: 'GET', url: 'metadata' } }));
  const answer = await batch(entry);
  t.is(answer.status, 413);
  t.is(codeOf(answer), 'LIMIT_EXCEEDED');
});

test('content that is streamed by itself stands in the Bundle as it was sent', async (t) => {
  const content = 'y'.repeat(300_000);
  const headers = { 'content-type': 'text/plain' };
  await client.send('PUT', 'Binary/streamed', { body: content, headers });
  for (const type of ['batch', 'transaction']) {
    const entry = [{ request: { method: 'GET', url: 'Binary/streamed' } }];
    const { body } = await client.post<Bundle>('', { resourceType: 'Bundle', type, entry });
    const binary = body.entry?.[0]?.resource as Binary | undefined;
    t.is(Buffer.from(binary?.data ?? '', 'base64').toString(), content, type);
  }
});

test('reads whose answers are too large for one Bundle are refused, not the end of the server', async (t) => {
  const large = {
    resourceType: 'Binary',
    id: 'large',
    contentType: 'text/plain',
    data: 'QUJD'.repeat(2 ** 20),
  };
  await client.put('Binary/large', large);
  const entry = Array.from({ length: 80 }, () => ({ request: { method: 'GET', url: 'Binary/large' } }));
  const { body } = await batch(entry);
  t.is(statuses(body)[0], '200');
  t.is(outcomeOf(body.entry?.at(-1) ?? {}).issue[0]?.details?.coding?.[0]?.code, 'LIMIT_EXCEEDED');
  const all = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  assertError(t, all, 400, 'LIMIT_EXCEEDED');
});
