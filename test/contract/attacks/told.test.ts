import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import test from 'ava';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { breakDatabase } from './broken-database.js';
import { runScenarios } from './scenarios.js';

const MAIN = resolve(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.js');

/** Names of tables and columns, statements, databases, files, and places in the code. */
const INTERNALS =
  /hfj_|spidx|broken_|sqlite|postgres|\bpg_|knex|\bselect\b.*\bfrom\b|\binsert into\b|constraint|relation "|no such table|\.[jt]s:\d|node_modules|\/tmp\/|\/build\/|\bat \w+ \(|bulkhead_app/i;

test('attack 82: with its tables gone, the server tells of an error and its request id, and nothing else', async (t) => {
  const database = await createTestDatabase('search-parameters');
  const server = await createTestServer({ database, partitions: ['acme'] });
  try {
    await breakDatabase(database);
    const answers = await runScenarios(server.url, (place) => `mark-${place}`);
    const failed = answers.filter(({ answer }) => answer.status >= 500);
    t.true(failed.length > 10, `${failed.length}`);
    for (const { request, answer } of answers) {
      t.notRegex(answer.text, INTERNALS, request);
      t.notRegex(JSON.stringify([...answer.headers]), INTERNALS, request);
      if (answer.text !== '') t.regex(answer.text, /^\{"resourceType":/, request);
    }
  } finally {
    await server.stop();
    await database.drop();
  }
});

/** A server as a process of its own, whose output is kept. */
interface Told {
  readonly url: string;
  readonly child: ChildProcess;
  text(): string;
}

async function startServer({ settings }: TestDatabase): Promise<Told> {
  const environment = Object.entries(settings).map(([name, value]) => [
    `BULKHEAD_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    String(value),
  ]);
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--log-level', 'trace'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...Object.fromEntries(environment) },
  });
  let told = '';
  child.stderr.on('data', (chunk) => (told += String(chunk)));
  await new Promise<void>((done, fail) => {
    child.stdout.on('data', (chunk) => {
      told += String(chunk);
      if (told.includes('/Patient\n')) done();
    });
    child.once('exit', () => fail(new Error(told)));
  });
  return { child, url: /is ready at (\S+)/.exec(told)?.[1] ?? '', text: () => told };
}

test('logs have neither tokens nor what clients send, at level trace, with the database whole and broken', async (t) => {
  const database = await createTestDatabase('search-parameters');
  const told = await startServer(database);
  try {
    const create = await fetch(`${told.url}/$partition-management-create-partition`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: '{"resourceType":"Parameters","parameter":[{"name":"name","valueCode":"acme"}]}',
    });
    t.is(create.status, 200);
    const whole = await runScenarios(told.url, (place) => `canary-${place}`);
    t.true(whole.filter(({ answer }) => answer.status < 300).length > 10);
    t.true(whole.every(({ answer }) => answer.status < 500));
    await breakDatabase(database);
    const broken = await runScenarios(told.url, (place) => `canary-${place}`);
    t.true(broken.filter(({ answer }) => answer.status >= 500).length > 10);
  } finally {
    told.child.kill('SIGTERM');
    await once(told.child, 'exit');
    await database.drop();
  }
  const lines = told.text().split('\n');
  t.true(lines.filter((line) => line.includes('"msg":"request"')).length > 40);
  t.true(lines.some((line) => line.includes('"level":"error"')));
  t.deepEqual(
    lines.filter((line) => line.includes('canary')).map((line) => line.slice(0, 1_000)),
    [],
  );
});
