import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { SUBJECT } from '../../../src/index.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError } from '../support/fhir-client.js';
import {
  ended,
  exported,
  exportedAt,
  kickOff,
  locationOf,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

const MANY = Array.from({ length: 60 }, (_, at) =>
  patientOf(`p${at}`, { name: [{ family: 'x'.repeat(200) }] }),
);
const IDS = MANY.map((_, at) => `Patient/p${at}`).toSorted();

/** A folder for files that lives as long as the test. */
async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-export-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test('an export of many parts has each resource once, and parts that count from 1', async (t) => {
  const { server, acme } = await openExportServer({ settings: { exportFileBytes: 2048 } });
  t.teardown(() => server.stop());
  await store(acme, ...MANY);
  for (const path of ['$export', '$export?_typeFilter=Patient?family:exact=none,Patient?family=x']) {
    const { output, manifest } = await exported(acme, path);
    t.deepEqual(output, IDS);
    const names = manifest.output.map(({ url }) => url.split('/').at(-1));
    t.true(names.length > 5);
    t.deepEqual(names.toSorted(), names.map((_, at) => `Patient.${at + 1}.ndjson`).toSorted());
  }
});

test('a server without workers leaves exports to others, and hands their files out', async (t) => {
  const database = await createTestDatabase();
  const exportDir = await folderOf(t);
  const front = await openExportServer({ database, settings: { exportWorkers: 0, exportDir } });
  await store(front.acme, ...MANY);
  const location = locationOf(await kickOff(front.acme, '$export'));
  t.is((await front.acme.get(location)).headers.get('x-progress'), '0% complete, waiting');
  const worker = await openExportServer({ database, settings: { exportDir }, partitions: [] });
  t.teardown(async () => {
    await worker.server.stop();
    await front.server.stop();
    await database.drop();
  });
  t.deepEqual((await exportedAt(front.acme, location)).output, IDS);
});

test('what a server has begun when it stops another one goes on with', async (t) => {
  const database = await createTestDatabase();
  const exportDir = await folderOf(t);
  const settings = { exportDir, exportFileBytes: 2048 };
  const slow = { STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: () => pause(10).then(() => undefined) };
  const first = await openExportServer({
    database,
    settings,
    interceptors: [{ name: 'slow', order: 0, hooks: slow }],
  });
  await store(first.acme, ...MANY);
  const location = locationOf(await kickOff(first.acme, '$export'));
  while ((await filesIn(exportDir)).length < 2) await pause(10);
  await first.server.stop();
  const written = (await filesIn(exportDir)).length;
  const second = await openExportServer({ database, settings, partitions: [] });
  t.teardown(async () => {
    await second.server.stop();
    await database.drop();
  });
  const path = new URL(location);
  const there = `${second.acme.base}/$export-poll-status${path.search}`;
  const { output } = await exportedAt(second.acme, there, (url) =>
    url.replace(/^.*\/\$export-file/, `${second.acme.base}/$export-file`),
  );
  t.deepEqual(output, IDS);
  t.true(written < (await filesIn(exportDir)).length);
  t.is(
    new Set((await filesIn(exportDir)).map((name) => name.replace(/^\d+-/, ''))).size,
    (await filesIn(exportDir)).length,
  );
});

test('where files cannot be written an export is tried again, and then has failed', async (t) => {
  const exportDir = await folderOf(t);
  const { server, acme } = await openExportServer({ settings: { exportDir, exportAttempts: 2 } });
  t.teardown(() => server.stop());
  await store(acme, patientOf('a'));
  await writeFile(join(exportDir, 'p1'), 'in the way');
  const failing = await kickOff(acme, '$export');
  const failed = await ended(acme, locationOf(failing));
  assertError(t, failed, 500, 'EXPORT_FAILED');
  t.regex(failed.text, /files of the export could not be written/);
  t.notRegex(failed.text, new RegExp(exportDir));
  await rm(join(exportDir, 'p1'));
  t.deepEqual((await exported(acme, '$export')).output, ['Patient/a']);
  t.is((await acme.delete(locationOf(failing))).status, 202);
});

test('a purge of the partition ends its exports, and takes their files with it', async (t) => {
  const exportDir = await folderOf(t);
  const { server, acme, root } = await openExportServer({ settings: { exportDir } });
  t.teardown(() => server.stop());
  await store(acme, patientOf('a'));
  const { location } = await exported(acme, '$export');
  t.is((await filesIn(exportDir)).length, 1);
  await server.bulkhead.partitions.startPurge(1);
  while ((await server.bulkhead.parts.partitions.jobs()).some(({ state }) => state === 'running'))
    await pause(20);
  t.deepEqual(await filesIn(exportDir), []);
  t.is((await acme.get(location)).status, 404);
  const named = { resourceType: 'Parameters', parameter: [{ name: 'name', valueCode: 'acme' }] };
  t.true((await root.post('$partition-management-create-partition', named)).status < 300);
  assertError(t, await acme.get(location), 404, 'NOT_FOUND');
});

test('exports end with their time, and their files do', async (t) => {
  let offset = 0;
  const exportDir = await folderOf(t);
  const { server, acme } = await openExportServer({
    clock: () => Date.now() + offset,
    settings: { exportDir, exportLifetimeMinutes: 1 },
  });
  t.teardown(() => server.stop());
  await store(acme, patientOf('a'));
  const { location, manifest } = await exported(acme, '$export');
  const status = await acme.get(location);
  const expires = Date.parse(status.headers.get('expires') ?? '');
  t.true(expires > Date.now() && expires <= Date.now() + 61_000);
  t.is(status.headers.get('content-type'), 'application/json');
  offset = 120_000;
  assertError(t, await acme.get(location), 404, 'NOT_FOUND');
  assertError(t, await acme.get(manifest.output[0]!.url), 404, 'NOT_FOUND');
  await server.bulkhead.parts.exports.sweeper.sweep();
  t.deepEqual(await filesIn(exportDir), []);
  await server.bulkhead.parts.exports.sweeper.sweep();
});

test('files that no job knows of are removed once they are old', async (t) => {
  let offset = 0;
  const exportDir = await folderOf(t);
  const { server, acme } = await openExportServer({
    clock: () => Date.now() + offset,
    settings: { exportDir },
  });
  t.teardown(() => server.stop());
  const { output } = server.bulkhead.parts.exports;
  const id = server.bulkhead.parts.newRequestId();
  const file = await output.create(`p1/exports/${id}/1-output-Patient-1.ndjson`);
  await file.write(Buffer.from('{}\n'));
  await file.finish();
  await server.bulkhead.parts.exports.sweeper.sweep();
  t.is((await filesIn(exportDir)).length, 1);
  offset = 3 * 24 * 60 * 60 * 1000;
  await server.bulkhead.parts.exports.sweeper.sweep();
  t.deepEqual(await filesIn(exportDir), []);
  t.is((await acme.get('metadata')).status, 200);
});

test('whoever asks too often is told to wait, and not for long', async (t) => {
  const { server, acme } = await openExportServer({ settings: { exportWorkers: 0 } });
  t.teardown(() => server.stop());
  const location = locationOf(await kickOff(acme, '$export'));
  const answers = [];
  for (let turn = 0; turn < 40; turn++) answers.push(await acme.get(location));
  const [first] = answers;
  t.is(first?.status, 202);
  t.is(first?.headers.get('retry-after'), '1');
  t.regex(first?.headers.get('x-progress') ?? '', /^\d+% complete/);
  const hasty = answers.find(({ status }) => status === 429)!;
  assertError(t, hasty, 429, 'TOO_MANY_REQUESTS');
  t.is(hasty.headers.get('retry-after'), '1');
  await pause(1_000);
  t.is((await acme.get(location)).status, 202);
});

test('what one subject asked for no other one sees', async (t) => {
  const hooks = {
    SERVER_INCOMING_REQUEST_POST_PROCESSED: ({ request }: { request: Parameters<typeof subjectOf>[0] }) => {
      const subject = subjectOf(request);
      if (subject !== undefined) request.attributes.set(SUBJECT, subject);
    },
  };
  const { server, acme } = await openExportServer({ interceptors: [{ name: 'subjects', order: 0, hooks }] });
  t.teardown(() => server.stop());
  const location = locationOf(await kickOff(acme, '$export', undefined, { 'x-user': 'one' }));
  for (const user of [{ 'x-user': 'two' }, {}]) {
    assertError(t, await acme.get(location, user), 404, 'NOT_FOUND');
    assertError(t, await acme.delete(location, user), 404, 'NOT_FOUND');
  }
  t.not((await acme.get(location, { 'x-user': 'one' })).status, 404);
});

function subjectOf({
  headers,
}: {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly attributes: Map<string, unknown>;
}): string | undefined {
  return headers.get('x-user')?.[0];
}
