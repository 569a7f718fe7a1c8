import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { createWorkplace, type Workplace } from './fixtures.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const EXPORT = ['export', '--partition', 'acme', '--out', 'out', '--interceptors'];

async function openFilled(t: ExecutionContext): Promise<Workplace> {
  const workplace = await createWorkplace(t);
  const { run, folder } = workplace;
  const patients = ['a', 'b', 'c'].map((id) => JSON.stringify({ resourceType: 'Patient', id }));
  await writeFile(join(folder, 'acme.ndjson'), patients.join('\n'));
  await run('partition', 'create', 'acme');
  t.is((await run('load', 'acme.ndjson', '--partition', 'acme')).exit, 0);
  return workplace;
}

/** A module whose interceptor does this when it is asked about a resource. */
async function writeInterceptor(folder: string, body: string): Promise<string> {
  const path = join(folder, 'interceptor.mjs');
  const hook = `STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: async ({ value }) => { ${body}; return value; }`;
  const head = "import { spawnSync } from 'node:child_process';\nimport { writeFileSync } from 'node:fs';\n";
  await writeFile(path, `${head}export default { name: 'slow', hooks: { ${hook} } };`);
  return path;
}

test('an export that is killed is taken for none, and can be made anew', async (t) => {
  const { run, folder, databaseUrl } = await openFilled(t);
  const reached = join(folder, 'reached');
  const forever = `writeFileSync(${JSON.stringify(reached)}, ''); await new Promise((resolve) => setTimeout(resolve, 1e8))`;
  const words = [...EXPORT, await writeInterceptor(folder, forever)];
  const env = { ...process.env, BULKHEAD_DATABASE_URL: databaseUrl };
  const killed = spawn(process.execPath, [MAIN, ...words], { cwd: folder, env, stdio: 'ignore' });
  const ended = once(killed, 'exit');
  while (!existsSync(reached)) await pause(20);
  killed.kill('SIGKILL');
  await ended;
  t.deepEqual(await readdir(join(folder, 'out')), ['.unfinished']);
  t.regex((await run('load', 'out')).err, /out holds an export that was not finished/);
  const again = await run('export', '--partition', 'acme', '--out', 'out');
  t.is(again.exit, 1);
  t.regex(again.err, /out holds an export that was not finished/);
  t.is((await run('export', '--partition', 'acme', '--out', 'anew')).exit, 0);
});

test('an export of a partition that is purged meanwhile fails, and leaves nothing', async (t) => {
  const { run, folder, databaseUrl } = await openFilled(t);
  const purge = JSON.stringify([
    MAIN,
    'partition',
    'delete',
    'acme',
    '--purge',
    '--database-url',
    databaseUrl,
  ]);
  const words = [...EXPORT, await writeInterceptor(folder, `spawnSync(process.execPath, ${purge})`)];
  const { exit, out, err } = await run(...words);
  t.is(exit, 1, out);
  t.regex(err, /partition/);
  t.false(existsSync(join(folder, 'out')));
});

test('what an interceptor fails on is told at the end, and the exit code says so', async (t) => {
  const { run, folder } = await openFilled(t);
  const words = [...EXPORT, await writeInterceptor(folder, "if (value.id === 'b') throw new Error('no')")];
  const { exit, out, err } = await run(...words);
  t.is(exit, 1);
  t.regex(out, /^Exported 2 resources to 2 files/m);
  t.is(err, 'error: Patient/b was left out: an interceptor failed on it.');
  t.true((await readdir(join(folder, 'out'))).includes('error.1.ndjson'));
});
