import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../fhir/definitions.js';
import { loadInterceptorModules } from '../../interceptor-modules.js';
import type { Settings } from '../../settings/schema.js';
import type { Check } from './check.js';

const CONNECT_MS = 1_000;

/** Before this there was no Bulkhead, so that a clock that says so is wrong. */
const EARLIEST = Date.UTC(2025, 0, 1);

/** Whether this Node.js is one that the package supports. */
export function checkNode(): Check {
  const manifest = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  const { engines } = JSON.parse(manifest) as { readonly engines: { readonly node: string } };
  const found = `${process.version} on ${process.platform} ${process.arch}`;
  if (isAtLeast(process.versions.node, engines.node.replace('>=', '')))
    return { name: 'node', state: 'ok', found };
  return { name: 'node', state: 'fail', found, advice: `Use Node.js ${engines.node}.` };
}

/** Whether the clock can be right. `now` is in milliseconds since 1970 UTC. */
export function checkClock(now: number): Check {
  const found = new Date(now).toISOString();
  if (now >= EARLIEST) return { name: 'clock', state: 'ok', found };
  const advice = 'Set the clock: versions are dated by it.';
  return { name: 'clock', state: 'fail', found, advice };
}

/** Whether the modules of the setting `interceptors` can be loaded. */
export async function checkInterceptors({ interceptors: modules }: Settings): Promise<Check> {
  const name = 'interceptors';
  try {
    const loaded = await loadInterceptorModules(modules);
    const found = loaded.length === 0 ? 'none of your own' : loaded.map((one) => one.name).join(', ');
    return { name, state: 'ok', found };
  } catch (error) {
    return {
      name,
      state: 'fail',
      found: (error as Error).message,
      advice: 'Correct the module or the setting.',
    };
  }
}

/** Whether something listens where the server would. */
export async function checkPort({ host, port }: Settings): Promise<Check> {
  const name = 'port';
  if (port === 0) return { name, state: 'ok', found: 'any free one' };
  const taken = await canConnect(host, port);
  if (!taken) return { name, state: 'ok', found: `${port} on ${host} is free` };
  const advice = 'If that is not your server, choose another port.';
  return { name, state: 'warn', found: `something listens on port ${port} of ${host}`, advice };
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const finish = (taken: boolean) => (): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).once('timeout', finish(false));
  });
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
