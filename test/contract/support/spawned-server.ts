import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ExecutionContext } from 'ava';
import { freePort } from '../../support/free-port.js';
import type { TestDatabase } from '../../support/test-database.js';

const BUILT = resolve(import.meta.dirname, '..', '..', '..');

/** Starts a process of its own that serves the database, with one of the shipped interceptors: `quota({ … })`. */
export async function spawnServer(
  t: ExecutionContext,
  { url: databaseUrl }: TestDatabase,
  interceptor: string,
) {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-spawned-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const module = join(folder, 'interceptor.mjs');
  const shipped = pathToFileURL(join(BUILT, 'interceptors', 'index.js')).href;
  await writeFile(module, `import * as shipped from '${shipped}';\nexport default shipped.${interceptor};\n`);
  const port = await freePort();
  const flags = ['--port', String(port), '--database-url', databaseUrl, '--log-level', 'error'];
  const child = spawn(
    process.execPath,
    [join(BUILT, 'src', 'cli', 'main.js'), ...flags, '--placement', 'shared', '--interceptors', module],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  t.teardown(kill);
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.status !== 200) {
    if (child.exitCode !== null) throw new Error('The server ended.');
    await pause(50);
  }
  return { url: `${url}/fhir`, kill };
}
