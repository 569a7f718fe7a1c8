import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Exports } from '../../../src/export/exports.js';
import type { ExportJobStore } from '../../../src/storage/export-store.js';
import { exportedAt, kickOff, locationOf, openExportServer, patientOf, store } from './fixtures.js';

const MANY = Array.from({ length: 40 }, (_, at) =>
  patientOf(`p${at}`, { name: [{ family: 'x'.repeat(200) }] }),
);

type Save = ExportJobStore['saveProgress'];

/** A server that works on nothing by itself, with an export of many parts that was asked for. */
async function openAsked(t: ExecutionContext) {
  const exportDir = await mkdtemp(join(tmpdir(), 'bulkhead-export-test-'));
  t.teardown(() => rm(exportDir, { recursive: true, force: true }));
  const settings = { exportDir, exportWorkers: 0, exportFileBytes: 4096, exportLeaseMs: 1_000 };
  const { server, acme } = await openExportServer({ settings });
  t.teardown(() => server.stop());
  await store(acme, ...MANY);
  const location = locationOf(await kickOff(acme, '$export?_type=Patient'));
  const { exports } = server.bulkhead.parts;
  const filesThere = async (): Promise<readonly string[]> => {
    const entries = await readdir(exportDir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };
  return { exports, filesThere, ended: () => exportedAt(acme, location) };
}

/** A worker whose first saving of progress goes by `first`, which is given how it goes otherwise. */
function workerOf(exports: Exports, first?: (save: Save) => Save): Exports {
  return exports.with((own) => {
    let isFirst = first !== undefined;
    const save: Save = (...saved) => own.jobs.saveProgress(...saved);
    const saveProgress: Save = (...saved) => {
      const chosen = isFirst && first ? first(save) : save;
      isFirst = false;
      return chosen(...saved);
    };
    const jobs = Object.assign(Object.create(own.jobs) as ExportJobStore, { saveProgress });
    return { ...own, jobs, limits: { ...own.limits, workers: 1 } };
  });
}

const lost = (): Promise<boolean> => Promise.reject(new Error('The connection was lost.'));

/** Works until there is nothing more to do at once. */
async function work(worker: Exports): Promise<void> {
  worker.runner.wake();
  await worker.runner.idle();
}

test('what a worker has finished and cannot save, as its claim is lost, it removes', async (t) => {
  const { exports, filesThere, ended } = await openAsked(t);
  await work(workerOf(exports, () => () => Promise.resolve(false)));
  t.deepEqual(await filesThere(), []);
  const end = ended();
  const worker = workerOf(exports);
  const timer = setInterval(() => worker.runner.wake(), 50);
  t.teardown(() => clearInterval(timer));
  const { output, manifest } = await end;
  t.is(output.length, MANY.length);
  t.is((await filesThere()).length, manifest.output.length);
});

test('where nobody knows whether files were saved, the next claim removes those that were not', async (t) => {
  for (const [isSaved, first] of [
    [false, () => lost],
    [
      true,
      (save: Save): Save =>
        (...saved) =>
          save(...saved).then(lost),
    ],
  ] as const) {
    const { exports, filesThere, ended } = await openAsked(t);
    await work(workerOf(exports, first));
    const left = await filesThere();
    t.is(left.length, 1);
    const worker = workerOf(exports);
    const timer = setInterval(() => worker.runner.wake(), 50);
    t.teardown(() => clearInterval(timer));
    const { output, manifest } = await ended();
    const there = await filesThere();
    t.is(output.length, MANY.length);
    t.is(there.length, manifest.output.length);
    t.is(there.includes(left[0] ?? ''), isSaved);
  }
});

test('of what has ended the sweeper removes files that are not listed, and no others', async (t) => {
  const { exports, filesThere, ended } = await openAsked(t);
  await work(workerOf(exports));
  const { output } = await ended();
  const listed = await filesThere();
  for await (const { partition, job } of exports.output.jobs()) {
    const file = await exports.output.create(`p${partition}/exports/${job}/99-output-Patient-1.ndjson`);
    await file.write(Buffer.from('{}\n'));
    await file.finish();
  }
  t.is((await filesThere()).length, listed.length + 1);
  await exports.sweeper.sweep();
  t.deepEqual((await filesThere()).toSorted(), listed.toSorted());
  t.is((await ended()).output.length, output.length);
});
