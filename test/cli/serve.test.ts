import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createWorkplace } from './fixtures.js';

const MAIN = resolve(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js');

/** Starts the command as a process of its own; ready when it has printed where it is. */
async function startServer(t: ExecutionContext, databaseUrl: string, ...flags: readonly string[]) {
  const words = [MAIN, '--port', '0', '--log-level', 'error', '--database-url', databaseUrl, ...flags];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.includes('/Patient\n')) break;
  }
  return { child, printed, url: /is ready at (\S+)/.exec(printed)?.[1] ?? '' };
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode ?? (await once(child, 'exit'))[0];
}

test('serve is the default command, and prints its URL and requests that work', async (t) => {
  const { databaseUrl } = await createWorkplace(t);
  const { printed, url } = await startServer(t, databaseUrl);
  t.regex(printed, /^Bulkhead \d+\.\d+\.\d+ is ready at http:\/\/127\.0\.0\.1:\d+\/fhir\n/);
  const curls = [...printed.matchAll(/^ {2}curl (?<words>.*)$/gm)].map(
    (match) => match.groups?.['words'] ?? '',
  );
  t.is(curls.length, 3);
  const create = curls.find((words) => words.includes('create-partition')) ?? '';
  const [, body = ''] = / -d '(.*?)' /.exec(create) ?? [];
  const headers = { 'content-type': 'application/fhir+json' };
  t.is(
    (await fetch(`${url}/$partition-management-create-partition`, { method: 'POST', headers, body })).status,
    200,
  );
  for (const words of curls.filter((one) => !one.includes(' -d ')))
    t.is((await fetch(words)).status, 200, words);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops the server in good order`, async (t) => {
    const { databaseUrl, run } = await createWorkplace(t);
    const { child, url } = await startServer(t, databaseUrl);
    const headers = { 'content-type': 'application/fhir+json' };
    const written = await fetch(`${url}/Patient/1`, {
      method: 'PUT',
      headers,
      body: '{"resourceType":"Patient","id":"1"}',
    });
    t.is(written.status, 201);
    child.kill(signal);
    t.is(await exitOf(child), 0);
    t.regex((await run('doctor', '--port', '0')).out, /^ok +database .*( is whole| at postgres:.*)$/m);
  });
}

test('a second signal ends the server at once', async (t) => {
  const { databaseUrl } = await createWorkplace(t);
  const { child, url } = await startServer(t, databaseUrl, '--shutdown-grace-ms', '60000');
  const slow = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{')),
  });
  const headers = { 'content-type': 'application/fhir+json' };
  const request = fetch(`${url}/Patient`, { method: 'POST', headers, body: slow, duplex: 'half' });
  await new Promise((done) => setTimeout(done, 200));
  child.kill('SIGTERM');
  await new Promise((done) => setTimeout(done, 200));
  t.is(child.exitCode, null);
  child.kill('SIGTERM');
  t.is(await exitOf(child), 130);
  await t.throwsAsync(request);
});

test('a port that is taken is told in one line', async (t) => {
  const { databaseUrl, run } = await createWorkplace(t);
  const { url } = await startServer(t, databaseUrl);
  const { port } = new URL(url);
  const { exit, err } = await run('serve', '--port', port);
  t.is(exit, 1);
  t.is(err, `error: Port ${port} on 127.0.0.1 is in use. Choose another one: --port ${Number(port) + 1}`);
});
