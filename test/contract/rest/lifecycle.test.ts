import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { defineInterceptor } from '../../../src/hooks/interceptor.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

const IN_FLIGHT_MS = 300;

const arrivals: number[] = [];

/** Holds up every create. */
const slow = defineInterceptor({
  name: 'slow',
  hooks: {
    STORAGE_PRESTORAGE_RESOURCE_CREATED: async () => {
      arrivals.push(Date.now());
      await pause(IN_FLIGHT_MS);
      return undefined;
    },
  },
});

test('the probes tell that the server lives and takes requests, and metrics are for Prometheus', async (t) => {
  const server = await createTestServer();
  try {
    const client = new FhirClient(new URL(server.url).origin);
    t.is((await client.get('healthz')).status, 200);
    t.is((await client.get('readyz')).status, 200);
    await new FhirClient(server.url).get('Patient/never');
    const metrics = await client.get('metrics');
    t.is(metrics.status, 200);
    t.true(metrics.headers.get('content-type')?.startsWith('text/plain'));
    t.true(metrics.text.includes('bulkhead_requests_total{interaction="read",status="404"} 1'));
    t.regex(metrics.text, /bulkhead_requests_in_flight 0/);
  } finally {
    await server.stop();
  }
});

test('metrics name no tenant and no id', async (t) => {
  const server = await createTestServer({ partitions: ['secret-tenant'] });
  try {
    const tenant = new FhirClient(server.url).tenant('secret-tenant');
    const { id } = await tenant.createPatient();
    await tenant.get(`Patient/${id}`);
    const { text } = await new FhirClient(new URL(server.url).origin).get('metrics');
    t.false(text.includes('secret-tenant'));
    t.false(text.includes(id));
  } finally {
    await server.stop();
  }
});

test('a stop lets requests in flight finish, and what was accepted is answered', async (t) => {
  const server = await createTestServer({ interceptors: [slow] });
  const client = new FhirClient(server.url);
  const inFlight = Promise.all(
    Array.from({ length: 5 }, () => client.post('Patient', { resourceType: 'Patient' })),
  );
  while (arrivals.length < 5) await pause(5);
  const begin = Date.now();
  await server.stop();
  t.true(Date.now() - begin < 5000);
  const answers = await inFlight;
  t.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201, 201, 201],
  );
  await t.throwsAsync(client.get('metadata'));
});

test('connections that are kept alive and idle do not hold up the stop', async (t) => {
  const server = await createTestServer();
  const client = new FhirClient(server.url);
  await Promise.all(Array.from({ length: 10 }, () => client.get('metadata')));
  const begin = Date.now();
  await server.stop();
  t.true(Date.now() - begin < 2000);
});

test('a request that outlives the grace period is cut off', async (t) => {
  const never = defineInterceptor({
    name: 'never',
    hooks: {
      SERVER_INCOMING_REQUEST_PRE_HANDLED: async () => {
        await pause(1500);
      },
    },
  });
  const server = await createTestServer({ interceptors: [never], settings: { shutdownGraceMs: 100 } });
  const request = new FhirClient(server.url).get('Patient/1').then(
    () => 'answered',
    () => 'cut off',
  );
  await pause(50);
  await server.stop();
  t.is(await request, 'cut off');
});

test('a stopped server may be stopped again', async (t) => {
  const server = await createTestServer();
  await server.stop();
  await t.notThrowsAsync(server.stop());
});
