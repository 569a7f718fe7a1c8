import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { PartFiles } from '../../../src/export/part-files.js';
import type { ExportClaim } from '../../../src/storage/export-store.js';
import { openOutput } from '../../../src/storage/output/open-output.js';
import { newJob, PLACES } from './fixtures.js';

const LINES = { lines: Buffer.from('{"resourceType":"Patient"}\n'), count: 1 };

/** The second slice of a job, in a folder of its own, and what tells of which jobs there are files. */
async function secondSlice(t: ExecutionContext, savedBefore: () => Promise<void>) {
  const place = await PLACES.local.open();
  t.teardown(() => place.close());
  const output = await openOutput(await place.options());
  const { partition, job } = newJob();
  const claim = { job: { partition, id: job }, token: 3 } as ExportClaim;
  const jobs = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const entry of output.jobs()) found.push(entry.job);
    return found;
  };
  return { files: new PartFiles(output, { claim, number: 2, parts: {}, savedBefore }), job, jobs };
}

test('no file of a slice is begun before the slice before it is saved', async (t) => {
  const before = Promise.withResolvers<void>();
  const { files, job, jobs } = await secondSlice(t, () => before.promise);
  const written = files.write('output', 'Patient', LINES);
  await pause(50);
  t.deepEqual(await jobs(), []);
  before.resolve();
  await written;
  t.deepEqual(await jobs(), [job]);
  const [file] = await files.finish();
  t.like(file, { type: 'Patient', part: 1, count: 1 });
});

test('a slice leaves nothing where the one before it could not be saved', async (t) => {
  const { files, jobs } = await secondSlice(t, () => Promise.reject(new Error('The claim is lost.')));
  await t.throwsAsync(files.write('output', 'Patient', LINES), { message: 'The claim is lost.' });
  await files.abort();
  t.deepEqual(await jobs(), []);
});
