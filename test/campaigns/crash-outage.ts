import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresServer } from '../support/postgres-server.js';
import { type Client, createOne } from './crash-load.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';

/** Longest time from the moment that the database is back until requests are answered again. */
const RECOVERY_MS = 5000;
/** Longest time in which a server without a database has to say so. */
const REFUSAL_MS = 5000;
/** Probes share an answer for half a second: so long, and a little, readiness may be a memory. */
const READY_MEMORY_MS = 1000;

/** What an outage showed. */
export interface OutageReport {
  readonly violations: Violations;
  /** From the database's return to the first write that was acknowledged. */
  readonly recoveryMs: number;
}

/** While the database is gone, for `lengthMs`, and until the server answers again after its return. */
export async function watchOutage(
  { server, database }: { readonly server: CrashServer; readonly database: PostgresServer },
  client: Client,
  lengthMs: number,
): Promise<OutageReport> {
  const violations: Violations = [];
  const begin = Date.now();
  const end = begin + lengthMs;
  let number = 0;
  do {
    await expectRefusal(`${client.base}/Patient?_count=1`, violations);
    const written = await createOne(client, `${client.name}-outage-${client.cycle}-${number++}`);
    if (written) violations.push(`${written.token} was acknowledged without a database`);
    const health = await fetch(`${server.origin}/healthz`);
    if (health.status !== 200) violations.push(`/healthz answered ${health.status}`);
    const isMemory = Date.now() - begin < READY_MEMORY_MS;
    const ready = await fetch(`${server.origin}/readyz`);
    if (ready.status !== 503 && !isMemory)
      violations.push(`/readyz without a database answered ${ready.status}`);
    await pause(50);
  } while (Date.now() < end);
  await database.start();
  const recoveryMs = await recoveryOf(client);
  if (recoveryMs > RECOVERY_MS) violations.push(`writes were refused for ${recoveryMs} ms after the outage`);
  return { violations, recoveryMs };
}

async function expectRefusal(url: string, violations: Violations): Promise<void> {
  const begin = Date.now();
  const response = await fetch(url);
  const body = (await response.json()) as { readonly resourceType?: string };
  const isRefusal =
    response.status === 503 &&
    response.headers.has('retry-after') &&
    body.resourceType === 'OperationOutcome';
  if (!isRefusal) violations.push(`a read without a database answered ${response.status}`);
  const took = Date.now() - begin;
  if (took > REFUSAL_MS) violations.push(`a read without a database took ${took} ms`);
}

async function recoveryOf(client: Client): Promise<number> {
  const begin = Date.now();
  for (let number = 0; Date.now() - begin < 2 * RECOVERY_MS; number++) {
    if (await createOne(client, `${client.name}-back-${client.cycle}-${number}`)) break;
    await pause(20);
  }
  return Date.now() - begin;
}
