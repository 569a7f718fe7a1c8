import test from 'ava';
import type { Bundle, Composition, OperationOutcome } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient, uniqueValue } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test('POST of a bundle to /Bundle stores it instead of processing it', async (t) => {
  const { status, body } = await client.post<Bundle>('Bundle', {
    resourceType: 'Bundle',
    type: 'collection',
  });
  t.is(status, 201);
  t.truthy(body.id);
});

/** A document of another server, which refers to what it brings along, to what it does not, and to this server. */
function documentOf(patient: string, urn: string): Bundle {
  const references = [
    'Practitioner/never',
    urn,
    `${client.base}/${patient}`,
    `${client.base}/beta/Patient/1`,
    'Practitioner?identifier=urn:x|1',
  ];
  const composition: Composition = {
    resourceType: 'Composition',
    id: 'c',
    status: 'final',
    type: { text: 'x' },
    subject: { reference: 'Patient/1' },
    date: '2020',
    author: references.map((reference) => ({ reference })),
    title: 't',
  };
  return {
    resourceType: 'Bundle',
    type: 'document',
    entry: [
      { fullUrl: 'http://sender.example/Composition/c', resource: composition },
      { fullUrl: 'http://sender.example/Patient/1', resource: { resourceType: 'Patient', id: '1' } },
    ],
  };
}

test('references within a Bundle that is stored are its own, and stay as they are', async (t) => {
  const { id = '' } = await client.createPatient();
  const urn = `urn:uuid:${uniqueValue()}`;
  const document = documentOf(`Patient/${id}`, urn);
  const stored = await client.post<Bundle>('Bundle', document);
  t.is(stored.status, 201, stored.text);
  t.deepEqual(stored.body.entry, document.entry);
  const sent = [
    { resource: document, request: { method: 'POST', url: 'Bundle' } },
    {
      fullUrl: urn,
      resource: { resourceType: 'Practitioner' },
      request: { method: 'POST', url: 'Practitioner' },
    },
  ];
  const { status, body, text } = await client.post<Bundle>('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: sent,
  });
  t.is(status, 200, text);
  const location = body.entry?.[0]?.response?.location ?? '';
  t.deepEqual((await client.get<Bundle>(location)).body.entry, document.entry);
  t.is((await client.delete(`Patient/${id}`)).status, 204);
});

test('what a Bundle itself refers to has to be there', async (t) => {
  const signature = { type: [{ code: 'x' }], when: '2020-01-01T00:00:00Z' };
  const answer = await client.post<OperationOutcome>('Bundle', {
    resourceType: 'Bundle',
    type: 'collection',
    signature: { ...signature, who: { reference: 'Practitioner/never' } },
  });
  assertError(t, answer, 400, 'REFERENCE_NOT_FOUND');
  t.deepEqual(answer.body.issue[0]?.expression, ['Bundle.signature.who']);
});
