import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { countAt, createWorkplace, get } from './fixtures.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const RESOURCES = 400;

test('a move that is killed is finished by the next one, and the tenant is equal before and after', async (t) => {
  const { run, folder, databaseUrl, serve } = await createWorkplace(t);
  await run('partition', 'create', 'acme', '--placement', 'shared');
  const lines = Array.from({ length: RESOURCES }, (_, index) =>
    JSON.stringify({ resourceType: 'Patient', id: `p${index}`, name: [{ family: `F${index % 7}` }] }),
  );
  await writeFile(join(folder, 'all.ndjson'), lines.join('\n'));
  t.is((await run('load', 'all.ndjson', '--partition', 'acme')).exit, 0);
  const base = `${await serve()}/acme`;
  const inventory = async (): Promise<unknown> => {
    const { entry, total } = await get(`${base}/_history?_count=1000`);
    return { entry, total, family: await countAt(`${base}/Patient?family=f3`) };
  };
  const before = await inventory();
  for (const life of [700, 900, 1_100]) {
    const words = ['partition', 'move', 'acme', '--to', 'database', '--database-url', databaseUrl];
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: folder, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await pause(life);
    child.kill('SIGKILL');
    await ended;
    t.deepEqual(await inventory(), before);
  }
  // The last one may have been killed between its cut-over and its end: then this one removes the old rows.
  const { exit, out } = await run('partition', 'move', 'acme', '--to', 'database');
  if (exit === 0)
    t.regex(out, /^Moved partition acme to database: \d+ resources; writers waited \d+ ms; 0 rows left/);
  t.regex((await run('partition', 'list')).out, /acme +database/);
  t.deepEqual(await inventory(), before);
  t.is((await run('partition', 'move', 'acme', '--to', 'database')).exit, 1);
});
