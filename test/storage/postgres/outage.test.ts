import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { OperationOutcome } from 'fhir/r4.js';
import { FhirClient, codeOf } from '../../contract/support/fhir-client.js';
import { PostgresServer } from '../../support/postgres-server.js';
import { createTestServer } from '../../support/test-server.js';

const HEALED_MS = 5_000;

/** A PostgreSQL of its own, which goes away and comes back. */
const database = await PostgresServer.create('durable');
const server = await createTestServer({
  partitions: ['acme'],
  database: {
    url: database.url,
    settings: { databaseUrl: database.url },
    urls: async () => [database.url],
    rows: async () => [],
    drop: async () => undefined,
  },
});
const client = new FhirClient(server.url).tenant('acme');

test.after.always(async () => {
  await server.stop();
  database.stop();
});

async function statusOf(path: string): Promise<number> {
  return (await fetch(new URL(path, server.url))).status;
}

test.serial('without its database the server says so to everybody, lives on, and heals', async (t) => {
  const patient = await client.createPatient();
  const next = 'Patient?_count=1&_total=accurate';
  t.is((await client.get(next)).status, 200);
  await database.kill();
  await pause(100);
  const requests = [
    client.get(`Patient/${patient.id}`),
    client.get(next),
    client.get('_history'),
    client.post('Patient', { resourceType: 'Patient' }),
    client.post('', { resourceType: 'Bundle', type: 'transaction', entry: [] }),
    client.delete(`Patient/${patient.id}`),
  ];
  for (const answer of (await Promise.all(requests)).filter(({ status }) => status !== 200)) {
    t.is(answer.status, 503, answer.text);
    t.is(codeOf(answer), 'BUSY');
    t.is((answer.body as OperationOutcome).resourceType, 'OperationOutcome');
    t.truthy(answer.headers.get('retry-after'));
  }
  t.is(await statusOf('/healthz'), 200);
  await pause(600);
  t.is(await statusOf('/readyz'), 503);

  await database.start();
  const begin = Date.now();
  while ((await client.get(`Patient/${patient.id}`)).status !== 200 || (await statusOf('/readyz')) !== 200) {
    t.true(Date.now() - begin < HEALED_MS, 'not healed in time');
    await pause(50);
  }
  t.is((await client.post('Patient', { resourceType: 'Patient' })).status, 201);
});

test.serial('what was acknowledged before the database was killed is there afterwards', async (t) => {
  const written: Promise<{ status: number; id: string | undefined }>[] = [];
  const soFar = { acknowledged: 0 };
  while (soFar.acknowledged < 20) {
    written.push(
      client.post<{ id?: string }>('Patient', { resourceType: 'Patient' }).then(({ status, body }) => {
        if (status === 201) soFar.acknowledged++;
        return { status, id: body.id };
      }),
    );
    await pause(2);
  }
  await database.kill();
  const answers = await Promise.all(written);
  await database.start();
  const acknowledged = answers.filter(({ status }) => status === 201);
  t.true(acknowledged.length >= 20);
  for (const { status } of answers) t.true([201, 503, 504].includes(status), String(status));
  for (const { id } of acknowledged) t.is((await client.get(`Patient/${id}`)).status, 200);
});
