import { Agent, get } from 'node:http';
import { startIssuer } from '../test/contract/auth/issuer.js';
import type { BenchStore } from './bench-store.js';
import { type Child, startChild } from './child.js';
import { median } from './median.js';
import { groupBundle, readPath } from './partitions.js';
import { postOne } from './throughput.js';

/** Reads by id on one connection, in microseconds at the median. */
export interface AuthenticationResult {
  /** With authentication off. */
  readonly open: number;
  /** With a token that was verified before. */
  readonly guarded: number;
  readonly ratio: number;
}

/** Most times the median without authentication. */
export const AUTHENTICATION_LIMIT = 1.15;

const TURN = 500;
const TURNS = 20;
/** Until the compilers are done. */
const WARM_UP_TURNS = 6;

/** The same reads from two servers in turns, one of which asks for a token. */
export async function measureAuthentication(store: BenchStore): Promise<AuthenticationResult> {
  const ends: (() => unknown)[] = [];
  const issuer = await startIssuer({ teardown: (end) => void ends.push(end) });
  const authorization = `Bearer ${await issuer.token({ tenant_id: 'p0' })}`;
  const databases = [await store.createDatabase(), await store.createDatabase()] as const;
  const common = { program: 'server', partitions: ['p0'] } as const;
  const open = await startChild({ ...common, databaseUrl: databases[0].url });
  const guarded = await startChild({
    ...common,
    databaseUrl: databases[1].url,
    settings: issuer.settings,
  });
  try {
    await postOne(`${open.url}/p0`, groupBundle(0));
    await postOne(`${guarded.url}/p0`, groupBundle(0), { authorization });
    return await compare(open, guarded, { authorization });
  } finally {
    await Promise.all([open.stop(), guarded.stop()]);
    for (const database of databases) await database.remove();
    for (const end of ends) await end();
  }
}

async function compare(
  open: Child,
  guarded: Child,
  headers: Readonly<Record<string, string>>,
): Promise<AuthenticationResult> {
  const turns: { readonly open: number; readonly guarded: number }[] = [];
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const;
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    const before = await medianOf(open, agents[0], {});
    turns.push({ open: before, guarded: await medianOf(guarded, agents[1], headers) });
  }
  for (const agent of agents) agent.destroy();
  const counted = turns.slice(WARM_UP_TURNS);
  return {
    open: median(counted.map((turn) => turn.open)),
    guarded: median(counted.map((turn) => turn.guarded)),
    ratio: median(counted.map((turn) => turn.guarded / turn.open)),
  };
}

async function medianOf(
  { url }: Child,
  agent: Agent,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < TURN; at++) {
    const began = performance.now();
    await read(`${url}/p0/${readPath(0)}`, agent, headers);
    times.push((performance.now() - began) * 1000);
  }
  return median(times);
}

function read(url: string, agent: Agent, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((done, fail) => {
    const request = get(url, { agent, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? done() : fail(new Error(`GET ${url}: ${response.statusCode}`)),
      );
    });
    request.once('error', fail);
  });
}
