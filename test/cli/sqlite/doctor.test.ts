import { chmod, copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createBulkhead } from '../../../src/server.js';
import { createEmptyDatabase } from '../../support/test-database.js';
import { createWorkplace } from '../fixtures.js';

test('a healthy file passes every check', async (t) => {
  const { run } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  const { exit, out } = await run('doctor', '--port', '0');
  t.is(exit, 0);
  for (const name of ['writable', 'disk', 'access', 'database', 'journal', 'schema', 'partitions']) {
    t.regex(out, new RegExp(`^ok +${name} `, 'm'));
  }
  t.regex(out, /0 failed, 0 with a warning\.$/);
});

test('the doctor changes nothing: a database that is not there is not made', async (t) => {
  const { run } = await createWorkplace(t, createEmptyDatabase);
  const first = await run('doctor', '--port', '0');
  t.is(first.exit, 0);
  t.regex(first.out, /does not exist yet; the first start makes it/);
  t.regex((await run('doctor', '--port', '0')).out, /does not exist yet/);
});

test('files that everybody on the machine can read are told of, by the doctor and in the log, and left as they are', async (t) => {
  const { run, folder, databaseUrl } = await createWorkplace(t);
  const [file, home] = [join(folder, 'own.db'), join(folder, 'own.p7.db')];
  for (const copy of [file, home]) await copyFile(databaseUrl.replace('sqlite:', ''), copy);
  const ask = async () => {
    const lines: string[] = [];
    const log = { write: (line: string) => void lines.push(line) };
    const settings = { databaseUrl: `sqlite:${file}`, port: 0, logLevel: 'warn' } as const;
    await (await createBulkhead({ settings, log })).stop();
    const { exit, out } = await run('doctor', '--port', '0', '--database-url', `sqlite:${file}`);
    t.is(exit, 0);
    return { log: lines.filter((line) => line.includes('chmod')), doctor: /^(\w+) +access .*$/m.exec(out) };
  };
  const told = async (mode: number, folderMode: number, expected: readonly string[]) => {
    await chmod(file, 0o600);
    await chmod(home, mode);
    await chmod(folder, folderMode);
    const { log, doctor } = await ask();
    t.is(doctor?.[1], expected.length === 0 ? 'ok' : 'warn', `${mode.toString(8)} ${doctor?.[0]}`);
    t.is(log.length, expected.length === 0 ? 0 : 1);
    for (const name of expected) t.true(log[0]?.includes(name) && doctor?.[0].includes(name), name);
    t.is((await stat(home)).mode & 0o777, mode);
  };
  await told(0o644, 0o755, [home]);
  await told(0o602, 0o711, [home]);
  await told(0o640, 0o755, []);
  await told(0o600, 0o755, []);
  await told(0o644, 0o750, []);
});
