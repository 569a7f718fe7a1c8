import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import type { Bundle, CapabilityStatement, Patient } from 'fhir/r4.js';
import type { Settings } from '../../../src/settings/schema.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

async function withServer(
  settings: Partial<Settings>,
  work: (client: FhirClient) => Promise<void>,
): Promise<void> {
  const server = await createTestServer({ partitions: ['acme'], settings });
  try {
    await work(new FhirClient(server.url));
  } finally {
    await server.stop();
  }
}

/** The server's own URL leads to its proxy, so that its port must be known beforehand. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function put(client: FhirClient, id: string) {
  return client.put<Patient>(`Patient/${id}`, { resourceType: 'Patient', id });
}

test('where clients cannot choose ids, an update creates nothing: 405', async (t) => {
  await withServer({ clientIds: 'none' }, async (client) => {
    assertError(t, await put(client, 'mine'), 405, 'METHOD_NOT_ALLOWED');
    const { id } = await client.createPatient();
    t.is((await put(client, id)).status, 200);
  });
});

test('where clients cannot choose numeric ids, others may be chosen', async (t) => {
  await withServer({ clientIds: 'alphanumeric' }, async (client) => {
    assertError(t, await put(client, '123'), 405, 'METHOD_NOT_ALLOWED');
    t.is((await put(client, 'a123')).status, 201);
  });
});

test('sequential ids are whole numbers, and never given twice', async (t) => {
  await withServer({ serverIds: 'sequential' }, async (client) => {
    const patients = await Promise.all(Array.from({ length: 50 }, () => client.createPatient()));
    t.true(patients.every(({ id }) => /^[1-9]\d*$/.test(id)));
    t.is(new Set(patients.map(({ id }) => id)).size, 50);
  });
});

test('a sequential id that a client has taken before is passed over', async (t) => {
  await withServer({ serverIds: 'sequential' }, async (client) => {
    const { id } = await client.createPatient();
    const next = String(Number(id) + 1);
    await put(client, next);
    const answers = [await client.createPatient(), await client.createPatient()];
    t.false(answers.some((patient) => patient.id === next));
  });
});

test('the base path may be the root', async (t) => {
  await withServer({ basePath: '/' }, async (client) => {
    const created = await client.tenant('acme').post<Patient>('Patient', { resourceType: 'Patient' });
    t.is(created.status, 201);
    t.is(created.headers.get('location'), `${client.base}/acme/Patient/${created.body.id}/_history/1`);
    t.is((await client.get(created.headers.get('location') ?? '')).status, 200);
    t.is((await client.get('metadata')).status, 200);
    t.is((await client.get(`${new URL(client.base).origin}/healthz`)).status, 200);
    t.is((await client.post('', { resourceType: 'Bundle', type: 'batch' })).status, 200);
  });
});

test('a setting that cannot be stops an embedded server as it stops any other', async (t) => {
  const error = await t.throwsAsync(createTestServer({ settings: { maxPageSize: 0 } }), {
    name: 'SettingsError',
  });
  t.true(error?.message.includes('maxPageSize'));
});

test('behind a public URL, Location, fullUrl and links carry it', async (t) => {
  const port = await freePort();
  const settings = { publicUrl: 'https://fhir.example.org', port };
  const server = await createTestServer({ partitions: ['acme'], settings });
  try {
    const client = new FhirClient(`http://127.0.0.1:${port}/fhir`).tenant('acme');
    const base = 'https://fhir.example.org/fhir/acme';
    const created = await client.post<Patient>('Patient', { resourceType: 'Patient' });
    t.is(created.headers.get('location'), `${base}/Patient/${created.body.id}/_history/1`);
    const { body } = await client.get<Bundle>('_history');
    t.is(body.entry?.[0]?.fullUrl, `${base}/Patient/${created.body.id}`);
    t.is(body.link?.[0]?.url, `${base}/_history`);
    const { body: statement } = await client.get<CapabilityStatement>('metadata');
    t.is(statement.implementation?.url, base);
  } finally {
    await server.stop();
  }
});

test('without validation anything that is a resource is stored as it is', async (t) => {
  await withServer({ validation: 'off' }, async (client) => {
    const { status, body } = await client.post<{ nmae: number }>('Patient', {
      resourceType: 'Patient',
      nmae: 1,
    });
    t.is(status, 201);
    t.is(body.nmae, 1);
  });
});

test('with full validation invariants are checked before a resource is stored', async (t) => {
  await withServer({ validation: 'full' }, async (client) => {
    const answer = await client.post('Patient', { resourceType: 'Patient', contact: [{ gender: 'male' }] });
    assertError(t, answer, 422, 'INVALID_RESOURCE');
    t.true(answer.text.includes('pat-1'));
  });
});

test('limits of the settings hold: entries, page size, depth', async (t) => {
  await withServer({ maxBundleEntries: 2, maxPageSize: 1, maxJsonDepth: 8 }, async (client) => {
    const entry = Array.from({ length: 3 }, () => ({ request: { method: 'GET', url: 'metadata' } }));
    assertError(
      t,
      await client.post('', { resourceType: 'Bundle', type: 'batch', entry }),
      413,
      'LIMIT_EXCEEDED',
    );
    await Promise.all([client.createPatient(), client.createPatient()]);
    t.is((await client.get<Bundle>('_history?_count=50')).body.entry?.length, 1);
    const deep = '['.repeat(8) + ']'.repeat(8);
    assertError(
      t,
      await client.post('Patient', `{"resourceType":"Patient","x":${deep}}`),
      400,
      'MALFORMED_JSON',
    );
  });
});

test('with partitioning off there are no tenants in URLs', async (t) => {
  await withServer({ partitioning: ['off'] }, async (client) => {
    t.is((await client.post('Patient', { resourceType: 'Patient' })).status, 201);
    assertError(t, await client.tenant('acme').get('Patient'), 404, 'UNKNOWN_RESOURCE_TYPE');
  });
});
