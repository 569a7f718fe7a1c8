import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../../support/free-port.js';
import { createTestDatabase, type TestDatabase } from '../../../support/test-database.js';
import { createTestServer, type TestServer } from '../../../support/test-server.js';
import { assertion, type ClientKey, formOf, keySetOf, makeKey, registerAt } from './fixtures.js';

const MAIN = resolve(import.meta.dirname, '..', '..', '..', '..', 'src', 'cli', 'main.js');
/** What clients know both servers by. */
const PUBLIC = 'https://fhir.example';
const AUDIENCE = `${PUBLIC}/fhir/acme/auth/token`;
const CLIENT = 'client';

let key: ClientKey;
test.before(async () => {
  key = await makeKey('ES384');
});

async function openDatabase(t: ExecutionContext): Promise<TestDatabase> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  return database;
}

/** One server beside others; asked past the proxy that its public name would lead to. */
async function openServer(t: ExecutionContext, database: TestDatabase, partitions: readonly string[] = []) {
  const port = await freePort();
  const settings = { auth: 'on', publicUrl: PUBLIC, port } as const;
  const server = await createTestServer({ database, partitions, settings });
  t.teardown(() => server.stop());
  return { server, ask: askerAt(port) };
}

function askerAt(port: number): (jwt: string) => Promise<number> {
  return async (jwt) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const url = `http://127.0.0.1:${port}/fhir/acme/auth/token`;
    const answer = await fetch(url, { method: 'POST', headers, body: formOf(jwt).toString() });
    return answer.status;
  };
}

function registerClient(server: TestServer): Promise<string> {
  return registerAt(server, 'acme', { id: CLIENT, scope: 'system/*.rs', jwks: keySetOf(key) });
}

/** A server as a process of its own, ready. */
async function spawnServer(t: ExecutionContext, { url }: TestDatabase) {
  const port = await freePort();
  const flags = ['--port', String(port), '--database-url', url, '--log-level', 'error'];
  const more = ['--auth', 'on', '--public-url', PUBLIC, '--placement', 'shared'];
  const child = spawn(process.execPath, [MAIN, ...flags, ...more], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  for (;;) {
    const probe = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (probe?.status === 200) return { child, ask: askerAt(port) };
    await pause(50);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('an assertion is good once, on whatever server, however many come at the same time', async (t) => {
  const database = await openDatabase(t);
  const first = await openServer(t, database, ['acme']);
  const second = await openServer(t, database);
  await registerClient(first.server);
  const jwt = await assertion(key, CLIENT, AUDIENCE);
  t.is(await first.ask(jwt), 200);
  t.deepEqual([await second.ask(jwt), await first.ask(jwt)], [400, 400]);
  const others = await Promise.all(Array.from({ length: 5 }, () => assertion(key, CLIENT, AUDIENCE)));
  const asked = others.flatMap((one) => [first, second, first, second].map(({ ask }) => ask(one)));
  const statuses = await Promise.all(asked);
  t.is(statuses.filter((status) => status === 200).length, others.length);
  t.is(statuses.filter((status) => status === 400).length, 3 * others.length);
});

test('an assertion that was used before a kill is refused after it', async (t) => {
  const database = await openDatabase(t);
  const maker = await openServer(t, database, ['acme']);
  await registerClient(maker.server);
  const jwt = await assertion(key, CLIENT, AUDIENCE);
  const killed = await spawnServer(t, database);
  t.is(await killed.ask(jwt), 200);
  await kill(killed.child);
  const next = await spawnServer(t, database);
  t.is(await next.ask(jwt), 400);
  t.is(await next.ask(await assertion(key, CLIENT, AUDIENCE)), 200);
  await kill(next.child);
});

test('used assertions are kept as hashes until nobody believes them any more', async (t) => {
  const database = await openDatabase(t);
  let now = Date.now();
  const port = await freePort();
  const server = await createTestServer({
    database,
    partitions: ['acme'],
    clock: () => now,
    settings: { auth: 'on', publicUrl: PUBLIC, port },
  });
  t.teardown(() => server.stop());
  await registerClient(server);
  const ask = askerAt(port);
  const exp = Math.floor(now / 1000) + 300;
  t.is(await ask(await assertion(key, CLIENT, AUDIENCE, { claims: { jti: 'a-jti', exp } })), 200);
  const used = await database.rows('select JTI_HASH, JTI_EXPIRES from HFJ_AUTH_JTI');
  t.is(used.length, 1);
  t.false(JSON.stringify(used).includes('a-jti'));
  now += 20 * 60 * 1000;
  const later = { claims: { exp: Math.floor(now / 1000) + 300 } };
  t.is(await ask(await assertion(key, CLIENT, AUDIENCE, later)), 200);
  const left = await database.rows('select JTI_HASH from HFJ_AUTH_JTI');
  t.is(left.length, 1);
  t.notDeepEqual(left[0]?.[0], used[0]?.[0]);
});

test('the keys that tokens are signed with are those of all servers, change, and are destroyed', async (t) => {
  const database = await openDatabase(t);
  let now = Date.now();
  const open = async () => {
    const settings = { auth: 'on', port: await freePort() } as const;
    const server = await createTestServer({ database, clock: () => now, settings });
    t.teardown(() => server.stop());
    return async (): Promise<readonly string[]> => {
      const { keys } = (await (await server.fetch('auth/jwks')).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    };
  };
  const [first, second] = [await open(), await open()];
  const [[before], [same]] = await Promise.all([first(), second()]);
  t.is(before, same);
  now += 31 * 24 * 60 * 60 * 1000;
  const both = await first();
  t.is(both.length, 2);
  t.true(both.includes(before ?? ''));
  now += 31 * 24 * 60 * 60 * 1000;
  t.false((await second()).includes(before ?? ''));
  const kept = await database.rows(
    `select SETTING_VALUE from HFJ_SETTING where SETTING_KEY like 'token-key:%'`,
  );
  t.is(kept.length, 3);
  t.is(kept.filter(([value]) => value === '').length, 1);
});
