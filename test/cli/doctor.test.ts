import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { createWorkplace } from './fixtures.js';

test('a healthy place passes every check', async (t) => {
  const { run } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  const { exit, out } = await run('doctor', '--port', '0');
  t.is(exit, 0);
  for (const name of [
    'node',
    'clock',
    'settings',
    'database',
    'schema',
    'partitions',
    'exports',
    'interceptors',
    'port',
  ]) {
    t.regex(out, new RegExp(`^ok +${name} `, 'm'));
  }
  t.regex(out, /^ok +partitions +1 in service/m);
  t.regex(out, / 0 failed, /);
});

test('wrong settings fail, each with its line', async (t) => {
  const { run } = await createWorkplace(t);
  const { exit, out } = await run('doctor', '--port', 'eighty');
  t.is(exit, 1);
  t.regex(out, /^fail +settings +--port: "eighty" is not allowed/m);
});

test('a SQLite file that is no database fails', async (t) => {
  const { run, folder } = await createWorkplace(t);
  const file = join(folder, 'letter.db');
  await writeFile(file, 'this is a letter, not a database'.repeat(100));
  const { exit, out } = await run('doctor', '--port', '0', '--database-url', `sqlite:${file}`);
  t.is(exit, 1);
  t.regex(out, /^fail +database .*Restore it from a backup/m);
});

test('an interceptor module that cannot be loaded fails', async (t) => {
  const { run, folder } = await createWorkplace(t);
  const module = join(folder, 'mine.mjs');
  await writeFile(
    module,
    `export default { name: 'mine', hooks: { SERVER_PROCESSING_COMPLETED: () => undefined } };`,
  );
  t.regex((await run('doctor', '--port', '0', '--interceptors', module)).out, /^ok +interceptors +mine$/m);
  await rm(module);
  const { exit, out } = await run('doctor', '--port', '0', '--interceptors', join(folder, 'gone.mjs'));
  t.is(exit, 1);
  t.regex(out, /^fail +interceptors .*gone\.mjs could not be loaded/m);
});

test('a place that exports cannot be written to fails, and nothing is made', async (t) => {
  const { run, folder } = await createWorkplace(t);
  const missing = join(folder, 'not', 'there', 'yet');
  t.regex((await run('doctor', '--port', '0', '--export-dir', missing)).out, /^ok +exports +go to .*yet$/m);
  t.false(existsSync(join(folder, 'not')));
  await writeFile(join(folder, 'file'), '');
  const local = await run('doctor', '--port', '0', '--export-dir', join(folder, 'file', 'exports'));
  t.is(local.exit, 1);
  t.regex(local.out, /^fail +exports +cannot be written to .*exportDir/m);
  const bucket = ['--export-output', 's3://exports', '--export-s3-endpoint', 'http://127.0.0.1:1'];
  const keys = ['--export-s3-access-key-id', 'me', '--export-s3-secret-access-key', 'hunter2'];
  const s3 = await run('doctor', '--port', '0', ...bucket, ...keys);
  t.is(s3.exit, 1);
  t.regex(s3.out, /^fail +exports +Exports cannot be written to the bucket "exports" at .*ECONNREFUSED/m);
  t.notRegex(s3.out, /hunter2/);
});

test('a port on which something listens is a warning', async (t) => {
  const { run } = await createWorkplace(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const { exit, out } = await run('doctor', '--port', String(port));
  t.is(exit, 0);
  t.regex(out, /^warn +port +something listens/m);
});
