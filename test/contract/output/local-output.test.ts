import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LocalOutput } from '../../../src/storage/output/local-output.js';
import { openOutput } from '../../../src/storage/output/open-output.js';
import { listJobs, newJob, readFile, someBytes, writeFile } from './fixtures.js';

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-output-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Files below a folder, by their paths. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** A disk of a megabyte; undefined where this user may not have one. */
function mountSmallDisk(t: ExecutionContext): string | undefined {
  const folder = newFolder(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  t.teardown(() => execFileSync('umount', [folder], { stdio: 'ignore' }));
  return folder;
}

test('a full disk fails the file, and leaves nothing of it', async (t) => {
  const disk = mountSmallDisk(t);
  if (disk === undefined) {
    t.log('skipped: only root mounts a disk of a megabyte');
    t.pass();
    return;
  }
  const store = new LocalOutput(join(disk, 'exports'), 'kept');
  const kept = newJob().key('kept.ndjson');
  await writeFile(store, kept, someBytes(100_000));
  for (const pieces of [[2_000_000], Array.from({ length: 30 }, () => 100_000)]) {
    const file = await store.create(newJob().key('large.ndjson'));
    await t.throwsAsync(
      async () => {
        for (const size of pieces) await file.write(someBytes(size));
      },
      { code: 'ENOSPC' },
    );
    await t.throwsAsync(file.finish(), { message: /a piece of the file is missing/ });
    await file.abort();
    t.deepEqual(
      filesIn(disk).map((path) => path.slice(-kept.length)),
      [kept],
    );
  }
  const later = newJob().key('later.ndjson');
  await writeFile(store, later, someBytes(100_000));
  t.is(await store.size(later), 100_000);
});

test('what a killed writer left is found and removed by another', async (t) => {
  const folder = newFolder(t);
  const { key, partition, job } = newJob();
  const script = `
    const { LocalOutput } = await import(${JSON.stringify(import.meta.resolve('../../../src/storage/output/local-output.js'))});
    const file = await new LocalOutput(${JSON.stringify(folder)}, 'kept').create(${JSON.stringify(key('a.ndjson'))});
    await file.write(Buffer.alloc(100_000));
    process.kill(process.pid, 'SIGKILL');
  `;
  t.throws(() =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'pipe' }),
  );
  t.is(filesIn(folder).length, 1);
  const store = new LocalOutput(folder, 'kept');
  t.is(await store.size(key('a.ndjson')), undefined);
  t.deepEqual(await listJobs(store), [`${partition}/${job}`]);
  await store.removeJob(partition, job);
  t.deepEqual(filesIn(folder), []);
  t.deepEqual(await listJobs(store), []);
});

test('files are for the user of the server alone', async (t) => {
  const folder = newFolder(t);
  const { key } = newJob();
  await writeFile(new LocalOutput(join(folder, 'exports'), 'kept'), key('a.ndjson'), someBytes(1));
  const path = join(folder, 'exports', key('a.ndjson'));
  t.is(statSync(path).mode & 0o777, 0o600);
  for (let parent = dirname(path); parent !== folder; parent = dirname(parent))
    t.is(statSync(parent).mode & 0o777, 0o700, parent);
});

test('what cannot be put in its place is not kept elsewhere', async (t) => {
  const folder = newFolder(t);
  const store = new LocalOutput(folder, 'kept');
  const { key } = newJob();
  const file = await store.create(key('a.ndjson'));
  await file.write(someBytes(10));
  mkdirSync(join(folder, key('a.ndjson'), 'in-the-way'), { recursive: true });
  await t.throwsAsync(file.finish());
  t.deepEqual(filesIn(folder), []);
  t.is(await store.size(key('a.ndjson')), undefined);
});

test('a folder that cannot be written to is told at the start', async (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const store = new LocalOutput(join(folder, 'file', 'exports'), 'kept');
  await t.throwsAsync(store.check(), {
    message: new RegExp(`^Exports cannot be written to the folder ${folder}/file/exports: `),
  });
  await t.throwsAsync(store.create(newJob().key('a.ndjson')));
});

test('what does not belong to exports is neither listed nor removed', async (t) => {
  const folder = newFolder(t);
  const store = new LocalOutput(folder, 'kept');
  const { key, partition, job } = newJob();
  await writeFile(store, key('a.ndjson'), someBytes(1));
  for (const other of ['notes', 'p1/other', 'p1/exports/not a job', 'q2/exports'])
    mkdirSync(join(folder, other, randomUUID()), { recursive: true });
  writeFileSync(join(folder, 'p1', 'exports', 'file'), '');
  writeFileSync(join(folder, 'p3'), '');
  t.deepEqual(await listJobs(store), [`${partition}/${job}`]);
  await store.removePartition(partition);
  t.true(existsSync(join(folder, 'p1', 'other')));
  t.true(existsSync(join(folder, 'q2', 'exports')));
  t.deepEqual(await listJobs(store), []);
});

test('without a folder files are kept until the store is closed', async (t) => {
  const before = new Set(readdirSync(tmpdir()));
  const store = await openOutput({ kind: 'local', folder: undefined });
  const { key } = newJob();
  await writeFile(store, key('a.ndjson'), Buffer.from('x'));
  t.is(String(await readFile(store, key('a.ndjson'))), 'x');
  const holds = (name: string): boolean => existsSync(join(tmpdir(), name, key('a.ndjson')));
  const made = readdirSync(tmpdir()).filter((name) => !before.has(name) && holds(name));
  t.is(made.length, 1);
  await store.close();
  t.false(existsSync(join(tmpdir(), made[0]!)));
});
