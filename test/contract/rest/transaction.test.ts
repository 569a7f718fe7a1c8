import test from 'ava';
import type { Bundle, BundleEntry, Observation, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

type Entry = Readonly<Record<string, unknown>>;

function transaction(entry: readonly Entry[], headers: Readonly<Record<string, string>> = {}, from = client) {
  return from.post<Bundle>('', { resourceType: 'Bundle', type: 'transaction', entry }, headers);
}

function patientEntry(more: object = {}, request: object = {}, fullUrl?: string): Entry {
  return {
    ...(fullUrl ? { fullUrl } : {}),
    resource: { resourceType: 'Patient', ...more },
    request: { method: 'POST', url: 'Patient', ...request },
  };
}

function observationEntry(reference: string, more: object = {}): Entry {
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference },
    ...more,
  };
  return { resource, request: { method: 'POST', url: 'Observation' } };
}

/** `Type/id` out of the location of an answered entry. */
function createdKey(entry: BundleEntry | undefined): string {
  return /([A-Z]\w+\/[^/]+)\/_history\//.exec(entry?.response?.location ?? '')?.[1] ?? '';
}

test('entries are answered in the order of the request with status, location, etag and lastModified', async (t) => {
  const { id } = await client.createPatient();
  const gone = await client.createPatient();
  const { status, body } = await transaction([
    { request: { method: 'GET', url: `Patient/${id}` } },
    { resource: { resourceType: 'Patient', id }, request: { method: 'PUT', url: `Patient/${id}` } },
    patientEntry(),
    { request: { method: 'DELETE', url: `Patient/${gone.id}` } },
  ]);
  t.is(status, 200);
  t.is(body.type, 'transaction-response');
  const entries = body.entry ?? [];
  t.deepEqual(
    entries.map(({ response }) => response?.status.slice(0, 3)),
    ['200', '200', '201', '204'],
  );
  t.is(entries[1]?.response?.etag, 'W/"2"');
  t.is(entries[1]?.response?.location, `${client.base}/Patient/${id}/_history/2`);
  t.is(entries[2]?.response?.etag, 'W/"1"');
  t.true(entries.slice(1).every(({ response }) => Date.parse(response?.lastModified ?? '') > 0));
  t.is((await client.get(createdKey(entries[2]))).status, 200);
  t.is((await client.get(`Patient/${gone.id}`)).status, 410);
});

test('a GET entry sees what the transaction has written', async (t) => {
  const id = uniqueValue();
  const { body } = await transaction([
    { request: { method: 'GET', url: `Patient/${id}` } },
    {
      resource: { resourceType: 'Patient', id, gender: 'male' },
      request: { method: 'PUT', url: `Patient/${id}` },
    },
    { request: { method: 'GET', url: `Patient?_id=${id}` } },
  ]);
  t.is((body.entry?.[0]?.resource as Patient | undefined)?.gender, 'male');
  t.is((body.entry?.[2]?.resource as Bundle | undefined)?.total, 1);
});

test('a GET entry that fails fails the transaction', async (t) => {
  const value = uniqueValue();
  const answer = await transaction([
    patientEntry({ identifier: [{ system: 'urn:mrn', value }] }),
    { request: { method: 'GET', url: 'Patient/never' } },
  ]);
  assertError(t, answer, 404, 'NOT_FOUND');
  t.is(await client.count(`Patient?identifier=urn:mrn|${value}`), 0);
});

test('urn:uuid references are replaced wherever they stand, in any order, and circularly', async (t) => {
  const [a, b] = [`urn:uuid:${uniqueValue()}`, `urn:uuid:${uniqueValue()}`];
  const div = `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${b}">b</a></div>`;
  const { status, body, text } = await transaction([
    observationEntry(a, {
      performer: [{ reference: a }],
      extension: [{ url: 'urn:e', valueReference: { reference: b } }],
    }),
    patientEntry(
      { link: [{ other: { reference: b }, type: 'seealso' }], text: { status: 'generated', div } },
      {},
      a,
    ),
    patientEntry({ link: [{ other: { reference: a }, type: 'seealso' }] }, {}, b),
  ]);
  t.is(status, 200, text);
  const [observation, first, second] = (body.entry ?? []).map(createdKey);
  const stored = await client.get<Observation>(observation ?? '');
  t.is(stored.body.subject?.reference, first);
  t.is(stored.body.performer?.[0]?.reference, first);
  t.is(stored.body.extension?.[0]?.valueReference?.reference, second);
  t.is((await client.get<Patient>(second ?? '')).body.link?.[0]?.other.reference, first);
  const narrated = await client.get<Patient>(first ?? '');
  t.is(narrated.body.link?.[0]?.other.reference, second);
  t.true(narrated.body.text?.div.includes(`href="${second}"`));
  t.is(await client.count(`Observation?subject=${first}`), 1);
});

test('a full URL of a POST entry is replaced as well, also where it is referred to relatively', async (t) => {
  const { status, body, text } = await transaction([
    { ...observationEntry('Patient/local-1'), fullUrl: 'http://sender.example/fhir/Observation/local-2' },
    patientEntry({ id: 'local-1' }, {}, 'http://sender.example/fhir/Patient/local-1'),
    {
      ...observationEntry('http://sender.example/fhir/Patient/local-1'),
      fullUrl: `urn:uuid:${uniqueValue()}`,
    },
  ]);
  t.is(status, 200, text);
  const [relative, patient, absolute] = (body.entry ?? []).map(createdKey);
  t.is((await client.get<Observation>(relative ?? '')).body.subject?.reference, patient);
  t.is((await client.get<Observation>(absolute ?? '')).body.subject?.reference, patient);
});

test('a urn:uuid that no entry has is 400 and stores nothing', async (t) => {
  const value = uniqueValue();
  const answer = await transaction([
    patientEntry({ identifier: [{ system: 'urn:mrn', value }] }),
    observationEntry(`urn:uuid:${uniqueValue()}`),
  ]);
  assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
  t.is(await client.count(`Patient?identifier=urn:mrn|${value}`), 0);
});

test('PUT entries with client ids and POST entries refer to each other', async (t) => {
  const id = uniqueValue();
  const urn = `urn:uuid:${uniqueValue()}`;
  const { status, body, text } = await transaction([
    observationEntry(`Patient/${id}`),
    {
      fullUrl: urn,
      resource: { resourceType: 'Patient', id },
      request: { method: 'PUT', url: `Patient/${id}` },
    },
    observationEntry(urn),
  ]);
  t.is(status, 200, text);
  for (const index of [0, 2]) {
    const { body: stored } = await client.get<Observation>(createdKey(body.entry?.[index]));
    t.is(stored.subject?.reference, `Patient/${id}`);
  }
});

test('a failing last entry rolls everything back, with the entry named in the error', async (t) => {
  const value = uniqueValue();
  const existing = await client.createPatient({ gender: 'female' });
  const before = [
    patientEntry({ identifier: [{ system: 'urn:mrn', value }] }),
    {
      resource: { resourceType: 'Patient', id: existing.id, gender: 'male' },
      request: { method: 'PUT', url: `Patient/${existing.id}` },
    },
  ];
  const failing: [Entry, number, string][] = [
    [patientEntry({ gender: 'robot' }), 422, 'INVALID_RESOURCE'],
    [observationEntry('Patient/never'), 400, 'REFERENCE_NOT_FOUND'],
    [
      {
        resource: { resourceType: 'Patient', id: 'x' },
        request: { method: 'PUT', url: 'Patient/x', ifMatch: 'W/"3"' },
      },
      412,
      'VERSION_MISMATCH',
    ],
    [
      { resource: { resourceType: 'Patient' }, request: { method: 'PUT', url: 'Patient/x' } },
      400,
      'INVALID_REQUEST',
    ],
    [{ request: { method: 'POST', url: 'Patient' } }, 400, 'INVALID_REQUEST'],
    [{ resource: { resourceType: 'Patient' } }, 400, 'INVALID_REQUEST'],
  ];
  for (const [entry, status, code] of failing) {
    const answer = await transaction([...before, entry]);
    assertError(t, answer, status, code);
    t.true(answer.text.includes('Bundle.entry[2]'), answer.text);
  }
  t.is(await client.count(`Patient?identifier=urn:mrn|${value}`), 0);
  t.is((await client.get<Patient>(`Patient/${existing.id}`)).body.meta?.versionId, '1');
});

test('a delete of what the same transaction stops referring to works, whatever the order of entries', async (t) => {
  const old = await client.createPatient();
  const other = await client.createPatient();
  const observation = await client.post<{ id: string }>(
    'Observation',
    observationEntry(`Patient/${old.id}`)['resource'] as object,
  );
  const { id } = observation.body;
  const { status, text } = await transaction([
    { request: { method: 'DELETE', url: `Patient/${old.id}` } },
    {
      ...observationEntry(`Patient/${other.id}`, { id }),
      request: { method: 'PUT', url: `Observation/${id}` },
    },
  ]);
  t.is(status, 200, text);
  t.is((await client.get(`Patient/${old.id}`)).status, 410);
});

test('a transaction that deletes a target and creates a reference to it is refused', async (t) => {
  const { id } = await client.createPatient();
  const answer = await transaction([
    observationEntry(`Patient/${id}`),
    { request: { method: 'DELETE', url: `Patient/${id}` } },
  ]);
  t.true(answer.status === 400 || answer.status === 409, answer.text);
  t.is((await client.get(`Patient/${id}`)).status, 200);
});

test('two entries for the same resource are 400', async (t) => {
  const { id } = await client.createPatient();
  const put = { resource: { resourceType: 'Patient', id }, request: { method: 'PUT', url: `Patient/${id}` } };
  const remove = { request: { method: 'DELETE', url: `Patient/${id}` } };
  assertError(t, await transaction([put, put]), 400, 'INVALID_REQUEST');
  assertError(t, await transaction([remove, put]), 400, 'INVALID_REQUEST');
  assertError(t, await transaction([remove, remove]), 400, 'INVALID_REQUEST');
  const never = uniqueValue();
  const createNever = {
    resource: { resourceType: 'Patient', id: never },
    request: { method: 'PUT', url: `Patient/${never}` },
  };
  const removeNever = { request: { method: 'DELETE', url: `Patient/${never}` } };
  assertError(t, await transaction([createNever, removeNever]), 400, 'INVALID_REQUEST');
  assertError(t, await transaction([removeNever, removeNever]), 400, 'INVALID_REQUEST');
  t.is((await client.get(`Patient/${never}`)).status, 404);
  const urn = `urn:uuid:${uniqueValue()}`;
  assertError(
    t,
    await transaction([patientEntry({}, {}, urn), patientEntry({}, {}, urn)]),
    400,
    'INVALID_REQUEST',
  );
  t.is((await client.get<Patient>(`Patient/${id}`)).body.meta?.versionId, '1');
});

test('nested bundles, operations and other methods are refused', async (t) => {
  for (const request of [
    { method: 'POST', url: '' },
    { method: 'POST', url: '/' },
    { method: 'POST', url: 'Patient/$validate' },
    { method: 'FETCH', url: 'Patient' },
    { method: 'post', url: 'Patient' },
  ]) {
    assertError(
      t,
      await transaction([{ resource: { resourceType: 'Patient' }, request }]),
      400,
      'INVALID_REQUEST',
    );
  }
});

test('URLs of other tenants and servers are 400, the own tenant’s may be given in full', async (t) => {
  const acme = client.tenant('acme');
  for (const base of [client.tenant('beta').base, client.base, 'https://other.example/fhir', '/beta', '..']) {
    const answer = await transaction([patientEntry({}, { url: `${base}/Patient` })], {}, acme);
    assertError(t, answer, 400, 'TENANT_MISMATCH');
  }
  t.is((await transaction([patientEntry({}, { url: `${acme.base}/Patient` })], {}, acme)).status, 200);
});

test('locations in the answer carry the tenant', async (t) => {
  const acme = client.tenant('acme');
  const { body } = await transaction([patientEntry()], {}, acme);
  t.true(body.entry?.[0]?.response?.location?.startsWith(`${acme.base}/Patient/`));
});

test('Prefer decides whether entries carry resources', async (t) => {
  const representation = await transaction([patientEntry({ gender: 'male' })], {
    prefer: 'return=representation',
  });
  t.is((representation.body.entry?.[0]?.resource as Patient | undefined)?.gender, 'male');
  const minimal = await transaction([patientEntry()], { prefer: 'return=minimal' });
  t.is(minimal.body.entry?.[0]?.resource, undefined);
  const silent = await transaction([patientEntry()], { prefer: 'handling=strict' });
  t.is(silent.body.entry?.[0]?.resource, undefined);
  const outcome = await transaction([patientEntry()], { prefer: 'return=OperationOutcome' });
  t.is(outcome.body.entry?.[0]?.response?.outcome?.resourceType, 'OperationOutcome');
});

test('an empty transaction is answered with an empty bundle', async (t) => {
  const { status, body } = await transaction([]);
  t.is(status, 200);
  t.is(body.type, 'transaction-response');
});

test('exact decimals survive a transaction', async (t) => {
  const bundle =
    '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":0.10}},"request":{"method":"POST","url":"Observation"}}]}';
  const { body, text } = await client.post<Bundle>('', bundle);
  t.true((await client.get(createdKey(body.entry?.[0]))).text.includes('"value":0.10'), text);
});
