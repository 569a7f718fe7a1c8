import test from 'ava';
import type { Bundle, BundleEntry, Observation, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

type Entry = Readonly<Record<string, unknown>>;

function transaction(entry: readonly Entry[], from = client) {
  return from.post<Bundle>('', { resourceType: 'Bundle', type: 'transaction', entry });
}

function identified(value: string, more: object = {}) {
  return { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }], ...more };
}

function queryFor(value: string): string {
  return `identifier=urn:mrn|${value}`;
}

function createEntry(value: string, fullUrl = `urn:uuid:${uniqueValue()}`): Entry {
  return {
    fullUrl,
    resource: identified(value),
    request: { method: 'POST', url: 'Patient', ifNoneExist: queryFor(value) },
  };
}

function observationEntry(reference: string): Entry {
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference },
  };
  return { resource, request: { method: 'POST', url: 'Observation' } };
}

function createdKey(entry: BundleEntry | undefined): string {
  return /([A-Z]\w+\/[^/]+)\/_history\//.exec(entry?.response?.location ?? '')?.[1] ?? '';
}

async function subjectOf(entry: BundleEntry | undefined, from = client): Promise<string | undefined> {
  return (await from.get<Observation>(createdKey(entry))).body.subject?.reference;
}

test('a conditional create that matches is answered 200 with the location of the match, and references mean the match', async (t) => {
  const value = uniqueValue();
  const { body: existing } = await client.post<Patient>('Patient', identified(value));
  const urn = `urn:uuid:${uniqueValue()}`;
  const { body } = await transaction([createEntry(value, urn), observationEntry(urn)]);
  t.is(body.entry?.[0]?.response?.status.slice(0, 3), '200');
  t.is(createdKey(body.entry?.[0]), `Patient/${existing.id}`);
  t.is(await subjectOf(body.entry?.[1]), `Patient/${existing.id}`);
  t.is(await client.count(`Patient?${queryFor(value)}`), 1);
});

test('the same bundle may be sent again and again', async (t) => {
  const value = uniqueValue();
  const urn = `urn:uuid:${uniqueValue()}`;
  for (const status of ['201', '200', '200']) {
    const { body } = await transaction([createEntry(value, urn), observationEntry(urn)]);
    t.is(body.entry?.[0]?.response?.status.slice(0, 3), status);
  }
  t.is(await client.count(`Patient?${queryFor(value)}`), 1);
});

test('several matches of a conditional create are 412', async (t) => {
  const value = uniqueValue();
  await client.post('Patient', identified(value));
  await client.post('Patient', identified(value));
  assertError(t, await transaction([createEntry(value)]), 412, 'SEVERAL_MATCHES');
});

test('a conditional reference becomes the one match: none is 400, several are 412', async (t) => {
  const value = uniqueValue();
  const reference = `Patient?${queryFor(value)}`;
  assertError(t, await transaction([observationEntry(reference)]), 400, 'REFERENCE_NOT_FOUND');
  const { body: existing } = await client.post<Patient>('Patient', identified(value));
  const { body } = await transaction([observationEntry(reference)]);
  t.is(await subjectOf(body.entry?.[0]), `Patient/${existing.id}`);
  await client.post('Patient', identified(value));
  assertError(t, await transaction([observationEntry(reference)]), 412, 'SEVERAL_MATCHES');
});

test('a conditional reference matches in the own tenant only', async (t) => {
  const value = uniqueValue();
  await client.tenant('acme').post('Patient', identified(value));
  const answer = await transaction([observationEntry(`Patient?${queryFor(value)}`)], client.tenant('beta'));
  assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
});

test('a conditional reference means what the same transaction creates or updates under that condition', async (t) => {
  const [created, updated] = [uniqueValue(), uniqueValue()];
  const { status, body, text } = await transaction([
    observationEntry(`Patient?${queryFor(created)}`),
    observationEntry(`Patient?${queryFor(updated)}`),
    createEntry(created),
    { resource: identified(updated), request: { method: 'PUT', url: `Patient?${queryFor(updated)}` } },
  ]);
  t.is(status, 200, text);
  t.is(await subjectOf(body.entry?.[0]), createdKey(body.entry?.[2]));
  t.is(await subjectOf(body.entry?.[1]), createdKey(body.entry?.[3]));
});

test('a conditional reference means what the same transaction creates with that identifier', async (t) => {
  const value = uniqueValue();
  const patient = { resource: identified(value), request: { method: 'POST', url: 'Patient' } };
  const { status, body, text } = await transaction([
    observationEntry(`Patient?${queryFor(value)}`),
    patient,
    observationEntry(`Patient?identifier=urn%3Amrn%7C${value}`),
  ]);
  t.is(status, 200, text);
  const key = createdKey(body.entry?.[1]);
  t.is(await subjectOf(body.entry?.[0]), key);
  t.is(await subjectOf(body.entry?.[2]), key);
  const again = await transaction([observationEntry(`Patient?${queryFor(value)}`), patient]);
  assertError(t, again, 412, 'SEVERAL_MATCHES');
});

test('two entries with the same condition are 400', async (t) => {
  const value = uniqueValue();
  assertError(t, await transaction([createEntry(value), createEntry(value)]), 400, 'INVALID_REQUEST');
  const put = { resource: identified(value), request: { method: 'PUT', url: `Patient?${queryFor(value)}` } };
  assertError(t, await transaction([put, put]), 400, 'INVALID_REQUEST');
  assertError(t, await transaction([createEntry(value), put]), 400, 'INVALID_REQUEST');
  t.is(await client.count(`Patient?${queryFor(value)}`), 0);
});

test('a conditional update and delete work inside a transaction', async (t) => {
  const [updated, deleted] = [uniqueValue(), uniqueValue()];
  const { body: first } = await client.post<Patient>('Patient', identified(updated));
  const { body: second } = await client.post<Patient>('Patient', identified(deleted));
  const { status, body, text } = await transaction([
    {
      resource: identified(updated, { gender: 'male' }),
      request: { method: 'PUT', url: `Patient?${queryFor(updated)}` },
    },
    { request: { method: 'DELETE', url: `Patient?${queryFor(deleted)}` } },
  ]);
  t.is(status, 200, text);
  t.deepEqual(
    (body.entry ?? []).map(({ response }) => response?.status.slice(0, 3)),
    ['200', '204'],
  );
  t.is((await client.get<Patient>(`Patient/${first.id}`)).body.gender, 'male');
  t.is((await client.get(`Patient/${second.id}`)).status, 410);
});

test('a conditional update and an update of the resource that it matches are 400', async (t) => {
  const value = uniqueValue();
  const { body } = await client.post<Patient>('Patient', identified(value));
  const answer = await transaction([
    { resource: identified(value), request: { method: 'PUT', url: `Patient?${queryFor(value)}` } },
    { resource: identified(value, { id: body.id }), request: { method: 'PUT', url: `Patient/${body.id}` } },
  ]);
  assertError(t, answer, 400, 'INVALID_REQUEST');
});

test('a create whose condition matches only what the transaction deletes makes a new resource', async (t) => {
  const value = uniqueValue();
  const { body: old } = await client.post<Patient>('Patient', identified(value), {
    'if-none-exist': queryFor(value),
  });
  const { status, body, text } = await transaction([
    createEntry(value),
    { request: { method: 'DELETE', url: `Patient/${old.id}` } },
  ]);
  t.is(status, 200, text);
  t.is(body.entry?.[0]?.response?.status.slice(0, 3), '201');
  t.is(await client.count(`Patient?${queryFor(value)}`), 1);
  t.is((await client.get(`Patient/${old.id}`)).status, 410);
});

test('ifMatch of an entry holds in a transaction', async (t) => {
  const { id } = await client.createPatient();
  const put = (ifMatch: string) =>
    transaction([
      {
        resource: { resourceType: 'Patient', id },
        request: { method: 'PUT', url: `Patient/${id}`, ifMatch },
      },
    ]);
  t.is((await put('W/"1"')).status, 200);
  assertError(t, await put('W/"1"'), 412, 'VERSION_MISMATCH');
});

test('a patch in a transaction: FHIRPath Patch, and JSON Patch in a Binary', async (t) => {
  const [first, second] = [await client.createPatient(), await client.createPatient()];
  const parts = [
    { name: 'type', valueCode: 'add' },
    { name: 'path', valueString: 'Patient' },
    { name: 'name', valueString: 'gender' },
    { name: 'value', valueCode: 'male' },
  ];
  const data = Buffer.from('[{"op":"add","path":"/gender","value":"female"}]').toString('base64');
  const { status, text } = await transaction([
    {
      resource: { resourceType: 'Parameters', parameter: [{ name: 'operation', part: parts }] },
      request: { method: 'PATCH', url: `Patient/${first.id}` },
    },
    {
      resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data },
      request: { method: 'PATCH', url: `Patient/${second.id}` },
    },
  ]);
  t.is(status, 200, text);
  t.is((await client.get<Patient>(`Patient/${first.id}`)).body.gender, 'male');
  t.is((await client.get<Patient>(`Patient/${second.id}`)).body.gender, 'female');
});

test('5,000 entries are stored together, and 5,001 are 413', async (t) => {
  const tag = uniqueValue();
  const meta = { tag: [{ system: 'urn:load', code: tag }] };
  const entry = Array.from({ length: 5000 }, () => ({
    resource: { resourceType: 'Patient', meta },
    request: { method: 'POST', url: 'Patient' },
  }));
  const { status, body } = await transaction(entry);
  t.is(status, 200);
  t.is(body.entry?.length, 5000);
  t.true(body.entry?.every(({ response }) => response?.status.startsWith('201')));
  t.is(await client.count(`Patient?_tag=urn:load|${tag}`), 5000);
  assertError(t, await transaction([...entry, entry[0]!]), 413, 'LIMIT_EXCEEDED');
});

test('of 5,000 entries none is stored when the last one fails', async (t) => {
  const tag = uniqueValue();
  const meta = { tag: [{ system: 'urn:load', code: tag }] };
  const entry: Entry[] = Array.from({ length: 4999 }, () => ({
    resource: { resourceType: 'Patient', meta },
    request: { method: 'POST', url: 'Patient' },
  }));
  const { status } = await transaction([...entry, observationEntry('Patient/never')]);
  t.is(status, 400);
  t.is(await client.count(`Patient?_tag=urn:load|${tag}`), 0);
});
