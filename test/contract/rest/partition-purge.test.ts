import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Parameters } from 'fhir/r4.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { createTestServer, type TestServer } from '../../support/test-server.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const PATIENCE_MS = 20_000;

async function fill(from: FhirClient, count: number): Promise<void> {
  const entry = Array.from({ length: count }, (_, index) => ({
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: 'urn:x', value: String(index) }],
      name: [{ family: `f${index}` }],
    },
    request: { method: 'POST', url: 'Patient' },
  }));
  const { status } = await from.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  if (status !== 200) throw new Error(`fill answered ${status}`);
}

function purge(client: FhirClient, id: number) {
  const parameter = [
    { name: 'id', valueInteger: id },
    { name: 'purge', valueBoolean: true },
  ];
  return client.post<Parameters>('$partition-management-delete-partition', {
    resourceType: 'Parameters',
    parameter,
  });
}

async function finishedJob(server: TestServer) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const job = (await server.bulkhead.parts.partitions.jobs()).find(({ state }) => state !== 'running');
    if (job) return job;
    await pause(20);
  }
  throw new Error('The purge did not end.');
}

test('a purge takes the partition out of service at once and ends with counts that are all zero; others keep theirs', async (t) => {
  const server = await createTestServer({
    partitions: [
      { id: 1, name: 'acme' },
      { id: 2, name: 'beta' },
    ],
  });
  try {
    const client = new FhirClient(server.url);
    await Promise.all([fill(client.tenant('acme'), 500), fill(client.tenant('beta'), 50)]);
    const answer = await purge(client, 1);
    t.is(answer.status, 200);
    t.truthy(answer.body.parameter?.find(({ name }) => name === 'message')?.valueString);
    assertError(t, await client.tenant('acme').get('Patient'), 404, 'UNKNOWN_PARTITION');
    assertError(
      t,
      await client.tenant('acme').post('Patient', { resourceType: 'Patient' }),
      404,
      'UNKNOWN_PARTITION',
    );
    const job = await finishedJob(server);
    t.is(job.state, 'done');
    t.deepEqual(job.result?.['left'], { resources: 0, versions: 0, indexRows: 0 });
    t.is(await client.tenant('beta').count('Patient'), 50);
  } finally {
    await server.stop();
  }
});

test('a purge that was interrupted goes on when the server starts again', async (t) => {
  const database = await createTestDatabase();
  try {
    const first = await createTestServer({ database, partitions: [{ id: 1, name: 'acme' }] });
    await fill(new FhirClient(first.url).tenant('acme'), 3000);
    const answer = await purge(new FhirClient(first.url), 1);
    t.is(answer.status, 200);
    await first.stop();
    const second = await createTestServer({ database });
    assertError(t, await new FhirClient(second.url).tenant('acme').get('Patient'), 404, 'UNKNOWN_PARTITION');
    t.is((await finishedJob(second)).state, 'done');
    const left = await second.bulkhead.parts.partitions.contents(1 as PartitionId);
    t.deepEqual(left, { resources: 0, versions: 0, indexRows: 0 });
    await second.stop();
  } finally {
    await database.drop();
  }
});

test('the name and id of a purged partition can be used again, and nothing of the old one is seen', async (t) => {
  const server = await createTestServer({ partitions: [{ id: 1, name: 'acme' }] });
  try {
    const client = new FhirClient(server.url);
    await fill(client.tenant('acme'), 100);
    await purge(client, 1);
    await finishedJob(server);
    const parameter = [
      { name: 'id', valueInteger: 1 },
      { name: 'name', valueCode: 'acme' },
    ];
    const created = await client.post('$partition-management-create-partition', {
      resourceType: 'Parameters',
      parameter,
    });
    t.is(created.status, 200);
    t.is(await client.tenant('acme').count('Patient'), 0);
    t.is((await client.tenant('acme').get<{ total: number }>('_history')).body.total, 0);
  } finally {
    await server.stop();
  }
});
