/**
 * `npm run test:load`: many clients of ten tenants read, search and write at a steady pace, and nobody may be answered
 * with 5xx. Then one tenant is flooded besides, by clients that never rest: the others' p95 may be twice what it was.
 * The server has the interceptor `rateLimit`. `--store postgres` (sqlite), `--clients N` (200), `--seconds N` (600, of
 * each half), `--rest MS` (1000, from an answer to the next request), `--short` (10 seconds, too few to judge times),
 * `--seed N`. Ends with 1 where anything was violated.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTenants, endWithSignals, say } from './campaign.js';
import { CrashServer } from './crash-server.js';
import { createCrashStore } from './crash-store.js';
import type { Violations } from './crash-verify.js';
import { Answers, ask, type LoadClient, recordsOf } from './load-clients.js';
import { REQUESTS_A_SECOND, SECONDS } from './load-limits.js';
import { request } from './move-client.js';
import { percentile } from './reindex-load.js';
import { seededRandom } from './random.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    clients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '600' },
    rest: { type: 'string', default: '1000' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});

const SHORT_SECONDS = 10;
const WARM_UP_MS = 3_000;
const TENANTS = Array.from({ length: 10 }, (_, number) => `load-${number}`);
const [FLOODED = ''] = TENANTS;
/** Clients that flood. */
const FLOODS = 50;
/** Most times the p95 that the others had without the flood. */
const MOST_TIMES = 2;
/** Answers that are under way when a phase is over come within this time. */
const LAST_ANSWERS_SECONDS = 5;
const LIMITS = fileURLToPath(new URL('load-limits.js', import.meta.url));

interface Phases {
  readonly steady: Answers;
  readonly flooded: Answers;
  /** Length of each of them. */
  readonly seconds: number;
}

interface Load {
  readonly server: CrashServer;
  readonly clients: number;
  readonly restMs: number;
  readonly seed: number;
}

async function main(): Promise<void> {
  const { store: kind } = values;
  if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('--store is sqlite or postgres.');
  const seconds = values.short ? SHORT_SECONDS : Number(values.seconds);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const clients = Number(values.clients);
  say(`seed ${seed}, ${kind}, ${clients} clients, twice ${seconds} s`);
  endWithSignals();
  const store = await createCrashStore(kind);
  const server = await CrashServer.create({ ...store.environment, BULKHEAD_INTERCEPTORS: LIMITS });
  try {
    await server.start();
    await fill(server);
    const load = { server, clients, restMs: Number(values.rest), seed };
    await run(load, 'steady', WARM_UP_MS);
    const steady = await run(load, 'steady', seconds * 1000);
    const flooded = await run(load, 'flooded', seconds * 1000);
    conclude({ steady, flooded, seconds });
  } finally {
    await server.kill();
    store.dispose();
  }
}

async function fill(server: CrashServer): Promise<void> {
  await createTenants(server, TENANTS);
  const entry = [...recordsOf()].map((resource) => {
    const { resourceType, id } = resource as { readonly resourceType: string; readonly id: string };
    return { resource, request: { method: 'PUT', url: `${resourceType}/${id}` } };
  });
  const body = { resourceType: 'Bundle', type: 'transaction', entry };
  for (const tenant of TENANTS) await request(`${server.url}/${tenant}`, 'POST', '', { body, status: 200 });
}

async function run(load: Load, phase: 'steady' | 'flooded', ms: number): Promise<Answers> {
  const answers = new Answers();
  let isOver = false;
  const clientOf = (tenant: string, number: number, restMs: number): LoadClient => ({
    base: `${load.server.url}/${tenant}`,
    tenant,
    random: seededRandom(load.seed + number),
    answers,
    restMs,
    isOver: () => isOver,
  });
  const steady = Array.from({ length: load.clients }, (_, number) =>
    clientOf(TENANTS[number % TENANTS.length]!, number, load.restMs),
  );
  const floods = Array.from({ length: phase === 'flooded' ? FLOODS : 0 }, (_, number) =>
    clientOf(FLOODED, load.clients + number, 0),
  );
  const all = [...steady, ...floods].map(ask);
  await pause(ms);
  isOver = true;
  await Promise.all(all);
  return answers;
}

function conclude({ steady, flooded, seconds }: Phases): void {
  const violations: Violations = [...steady.failures, ...flooded.failures];
  const before = tell('steady', steady);
  const meanwhile = tell('flooded', flooded);
  if (!values.short && !(meanwhile <= before * MOST_TIMES)) {
    const [was, is] = [before, meanwhile].map((ms) => ms.toFixed(1));
    violations.push(`a flood of ${FLOODED} makes the others' p95 ${is} ms, which was ${was} ms`);
  }
  const seen = admitted(flooded);
  if (seen > mostAdmitted(seconds)) violations.push(`${seen} requests of the flooded tenant were admitted`);
  // A machine that is busy with other things does not answer enough in ten seconds to come to a limit.
  if (!values.short && !flooded.byStatus.has(429)) violations.push('the flooded tenant was never limited');
  if (steady.byStatus.has(429)) violations.push('a client that rests was limited');
  for (const violation of violations.slice(0, 20)) say(`violation: ${violation}`);
  if (violations.length > 0) process.exitCode = 1;
  else say('nobody was answered with 5xx, and the flood was that of one tenant');
}

/** Requests of the flooded tenant, which alone may be limited, that were not. */
function admitted({ times, byStatus }: Answers): number {
  return (times.get(FLOODED)?.length ?? 0) - (byStatus.get(429) ?? 0);
}

/** A whole period's requests at once, and what comes back of them until the last one is answered. */
function mostAdmitted(seconds: number): number {
  return REQUESTS_A_SECOND * (SECONDS + seconds + LAST_ANSWERS_SECONDS);
}

/** Says what a phase was like. @returns The p95 of all tenants but the one that is flooded, in milliseconds */
function tell(phase: string, answers: Answers): number {
  const times = answers.timesBut(FLOODED);
  const at = (share: number): string => percentile(times, share).toFixed(1);
  const statuses = [...answers.byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${status}: ${count}`);
  say(`${phase}: ${statuses.join(', ')}; others p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)} ms`);
  return percentile(times, 0.95);
}

await main();
