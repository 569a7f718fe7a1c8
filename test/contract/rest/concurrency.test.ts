import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { createTestDatabase } from '../../support/test-database.js';
import { FhirClient, uniqueValue } from '../support/fhir-client.js';

const database = await createTestDatabase();
const server = await createTestServer({ partitions: ['acme', 'beta'], database });
const client = new FhirClient(server.url);
test.after.always(async () => {
  await server.stop();
  await database.drop();
});

const AT_ONCE = 64;

function identified(value: string, more: object = {}) {
  return { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value }], ...more };
}

function searchFor(value: string): string {
  return `identifier=urn:mrn|${value}`;
}

function atOnce<Result>(work: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(index)));
}

function createIfNone(tenant: string, value: string) {
  return client
    .tenant(tenant)
    .post<Patient>('Patient', identified(value), { 'if-none-exist': searchFor(value) });
}

test('64 identical conditional creates at once make one resource in each of two tenants', async (t) => {
  const value = uniqueValue();
  const [acme, beta] = await Promise.all([
    atOnce(() => createIfNone('acme', value)),
    atOnce(() => createIfNone('beta', value)),
  ]);
  for (const [tenant, answers] of [
    ['acme', acme],
    ['beta', beta],
  ] as const) {
    t.is(answers.filter(({ status }) => status === 201).length, 1, tenant);
    t.is(answers.filter(({ status }) => status === 200).length, AT_ONCE - 1, tenant);
    t.is(new Set(answers.map(({ body }) => body.id)).size, 1, tenant);
    t.is(await client.tenant(tenant).count(`Patient?${searchFor(value)}`), 1, tenant);
  }
  t.not(acme[0]?.body.id, beta[0]?.body.id);
});

test('64 identical conditional updates at once make one resource with as many versions', async (t) => {
  const value = uniqueValue();
  const answers = await atOnce(() => client.put<Patient>(`Patient?${searchFor(value)}`, identified(value)));
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  t.is(answers.filter(({ status }) => status === 200).length, AT_ONCE - 1);
  t.is(new Set(answers.map(({ body }) => body.id)).size, 1);
  t.is(new Set(answers.map(({ body }) => body.meta?.versionId)).size, AT_ONCE);
});

test('conditional creates and updates with the same condition at once make one resource', async (t) => {
  const value = uniqueValue();
  await atOnce((index) =>
    index % 2 === 0
      ? createIfNone('acme', value)
      : client.tenant('acme').put<Patient>(`Patient?${searchFor(value)}`, identified(value)),
  );
  t.is(await client.tenant('acme').count(`Patient?${searchFor(value)}`), 1);
});

test('transactions with the same conditional create at once make one resource', async (t) => {
  const value = uniqueValue();
  const entry = [
    {
      resource: identified(value),
      request: { method: 'POST', url: 'Patient', ifNoneExist: searchFor(value) },
    },
  ];
  const answers = await Promise.all(
    Array.from({ length: 16 }, () => client.post('', { resourceType: 'Bundle', type: 'transaction', entry })),
  );
  t.true(answers.every(({ status }) => status === 200));
  t.is(await client.count(`Patient?${searchFor(value)}`), 1);
});

test('a claim whose holder no longer matches gives way to a new resource', async (t) => {
  const value = uniqueValue();
  const first = await createIfNone('acme', value);
  const { id } = first.body;
  await client.tenant('acme').put(`Patient/${id}`, { resourceType: 'Patient', id });
  const answers = await atOnce(() => createIfNone('acme', value));
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  t.not(answers[0]?.body.id, id);
  t.is(await client.tenant('acme').count(`Patient?${searchFor(value)}`), 1);
});

test('a claim whose holder was deleted gives way to a new resource', async (t) => {
  const value = uniqueValue();
  const first = await createIfNone('acme', value);
  await client.tenant('acme').delete(`Patient/${first.body.id}`);
  const answers = await atOnce(() => createIfNone('acme', value));
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  t.is(await client.tenant('acme').count(`Patient?${searchFor(value)}`), 1);
});

test('a resource that changed away and back keeps its condition', async (t) => {
  const value = uniqueValue();
  const { body } = await createIfNone('acme', value);
  const acme = client.tenant('acme');
  await acme.put(`Patient/${body.id}`, { resourceType: 'Patient', id: body.id });
  await acme.put(`Patient/${body.id}`, identified(value, { id: body.id }));
  const again = await createIfNone('acme', value);
  t.is(again.status, 200);
  t.is(again.body.id, body.id);
});

test('a resource that never matched its own condition does not block further creates for ever', async (t) => {
  const value = uniqueValue();
  const create = () =>
    client.post('Patient', { resourceType: 'Patient' }, { 'if-none-exist': searchFor(value) });
  t.is((await create()).status, 201);
  t.is((await create()).status, 201);
});

test('64 creates with the same client id at once make one resource', async (t) => {
  const id = uniqueValue();
  const answers = await atOnce(() => client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id }));
  const refused = answers.find(({ status }) => status > 201);
  t.is(refused, undefined, refused?.text);
  t.is(answers.filter(({ status }) => status === 201).length, 1);
});

test('a delete and a create of a reference at once never leave a dangling reference', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { id } = await client.createPatient();
    const body = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${id}` },
    };
    const [created, deleted] = await Promise.all([
      client.post('Observation', body),
      client.delete(`Patient/${id}`),
    ]);
    t.true(
      (created.status === 201 && deleted.status === 409) ||
        (created.status === 400 && deleted.status === 204),
      `${created.status} ${deleted.status}`,
    );
  }
});
