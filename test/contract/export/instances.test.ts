import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Interceptor } from '../../../src/index.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError } from '../support/fhir-client.js';
import { ended, exported, kickOff, locationOf, openExportServer, patientOf, store } from './fixtures.js';

test('of two servers one ends each export, and either tells of it', async (t) => {
  const database = await createTestDatabase();
  const exportDir = await mkdtemp(join(tmpdir(), 'bulkhead-export-test-'));
  const completed: string[] = [];
  const counting: Interceptor = {
    name: 'counting',
    order: 0,
    hooks: { STORAGE_POSTCOMPLETE_BATCH_JOB: ({ job }) => void completed.push(job.id) },
  };
  const options = { database, interceptors: [counting] };
  const one = await openExportServer({ ...options, settings: { exportDir, exportFileBytes: 300 } });
  await store(one.acme, ...['a', 'b', 'c', 'd'].map((id) => patientOf(id)));
  await store(one.beta, patientOf('x'));
  const two = await openExportServer({
    ...options,
    partitions: [],
    settings: { exportDir, exportFileBytes: 300 },
  });
  t.teardown(async () => {
    await Promise.all([one.server.stop(), two.server.stop()]);
    await database.drop();
    await rm(exportDir, { recursive: true, force: true });
  });
  const clients = [one.acme, two.acme, one.beta, two.beta];
  const started = Array.from({ length: 24 }, (_, at) => clients[at % clients.length]!);
  const locations = await Promise.all(
    started.map(async (client) => locationOf(await kickOff(client, '$export?_type=Patient'))),
  );
  for (const [at, location] of locations.entries()) {
    const { status, body } = await ended(started[at]!, location);
    t.is(status, 200);
    const count = body.output.reduce((sum, file) => sum + file.count, 0);
    t.is(count, at % clients.length < 2 ? 4 : 1);
  }
  t.is(completed.length, locations.length);
  t.is(new Set(completed).size, locations.length);
  const { location } = await exported(one.acme, '$export?_type=Patient');
  const there = location.replace(one.acme.base, two.acme.base);
  t.is((await two.acme.get(there)).status, 200);
  t.is((await two.acme.delete(there)).status, 202);
  assertError(t, await one.acme.get(location), 404, 'NOT_FOUND');
});

test('a partition that is empty is deleted with its exports', async (t) => {
  const { server, acme } = await openExportServer();
  t.teardown(() => server.stop());
  const { location } = await exported(acme, '$export');
  await server.bulkhead.partitions.delete(1);
  t.is((await acme.get(location)).status, 404);
  await server.bulkhead.partitions.create({ id: 1, name: 'acme' });
  assertError(t, await acme.get(location), 404, 'NOT_FOUND');
});
