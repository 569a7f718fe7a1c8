import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.js';

const run = promisify(execFile);

const VERSION = '26.0.8';
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bulkhead-ci');
const ADMIN = 'admin';
const FETCH_MS = 300_000;
const START_MS = 480_000;

/** A Keycloak on a port of its own, with nothing in it but its administrator. */
export interface KeycloakServer {
  readonly url: string;
  /** Calls the administration; the path is below `/admin/realms`. @throws Error for an answer that is no success */
  readonly administer: (method: string, path: string, body?: object) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/**
 * The folder of an unpacked Keycloak: the one of BULKHEAD_TEST_KEYCLOAK, or else from Maven Central, once.
 * @throws Error where there is no Java or no way to get it
 */
export async function installKeycloak(): Promise<string> {
  await run('java', ['-version']);
  const given = process.env['BULKHEAD_TEST_KEYCLOAK'];
  const folder = given ?? join(CACHE, `keycloak-${VERSION}`);
  const isThere = await access(join(folder, 'bin', 'kc.sh')).then(
    () => true,
    () => false,
  );
  if (isThere || given !== undefined) return folder;
  const fresh = `${folder}.${process.pid}`;
  try {
    const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
    const words = ['-q', '-B', 'dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${fresh}`];
    await run('mvn', words, { cwd: tmpdir(), timeout: FETCH_MS });
    await rename(join(fresh, `keycloak-${VERSION}`), folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** Starts a copy of it, which leaves nothing behind. @throws Error where it does not get ready */
export async function startKeycloak(installed: string): Promise<KeycloakServer> {
  const home = await mkdtemp(join(tmpdir(), 'bulkhead-keycloak-'));
  await cp(installed, home, { recursive: true });
  const port = await freePort();
  const words = ['start-dev', '--cache=local', '--http-host=127.0.0.1', `--http-port=${port}`];
  const child = spawn('bash', [join(home, 'bin', 'kc.sh'), ...words], {
    env: {
      ...process.env,
      KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN,
      KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN,
      // It lives for a minute: compiling it well costs more than it saves.
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => lines.push(String(text)));
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await untilReady(url, child);
  } catch (error) {
    await stop();
    throw new Error(`Keycloak did not start: ${lines.join('').slice(-2_000)}`, { cause: error });
  }
  return { url, stop, administer: (method, path, body) => administer(url, { method, path, body }) };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (const last = Date.now() + START_MS; Date.now() < last; await pause(500)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/realms/master`).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error('it takes too long');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function administer(
  url: string,
  {
    method,
    path,
    body,
  }: { readonly method: string; readonly path: string; readonly body: object | undefined },
): Promise<unknown> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: ADMIN, password: ADMIN };
  const login = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token: token } = (await login.json()) as { readonly access_token: string };
  const answer = await fetch(`${url}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Keycloak answered ${method} ${path} with ${answer.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
