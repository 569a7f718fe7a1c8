import { setTimeout as pause } from 'node:timers/promises';
import type { Campaign } from './campaign.js';
import { verifyDatabase } from './crash-database.js';
import { writeOn } from './crash-load.js';
import { watchOutage } from './crash-outage.js';
import type { CrashServer } from './crash-server.js';
import type { CrashDatabaseServer, CrashStore } from './crash-store.js';
import { verifyAnswers, type Violations } from './crash-verify.js';

const SHORTEST_LIFE_MS = 50;
const LONGEST_LIFE_MS = 1200;
const LONGEST_OUTAGE_MS = 1500;

/** What one cycle did, and what it found. */
export interface CycleReport {
  readonly event: string;
  readonly violations: Violations;
}

function never(): boolean {
  return false;
}

/** Clients write, the server is killed and started again. */
export async function killServer(
  campaign: Campaign,
  { store, server }: { readonly store: CrashStore; readonly server: CrashServer },
  cycle: number,
): Promise<CycleReport> {
  const since = campaign.mark();
  const life = campaign.random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
  const clients = campaign
    .clientsOf(server, { name: 'client', cycle, isOver: never, mayRefuse: never })
    .map((client) => writeOn(client));
  // A client that meets a wrong answer ends the campaign at once.
  await Promise.race([pause(life), Promise.all(clients)]);
  await server.kill();
  await Promise.all(clients);
  await store.settle();
  await server.start();
  const violations = [
    ...(await verifyAnswers(server.url, campaign.journal, since)),
    ...(await verifyDatabase(store.rows, campaign.journal)),
    ...store.damage(),
  ];
  return { event: `killed after ${life} ms`, violations };
}

/** Clients write, the database is killed and started again, and the server stays up. */
export async function killDatabase(
  campaign: Campaign,
  { store, server }: { readonly store: CrashDatabaseServer; readonly server: CrashServer },
  cycle: number,
): Promise<CycleReport> {
  const since = campaign.mark();
  const life = campaign.random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
  let isGone = false;
  const of = { cycle, isOver: never, mayRefuse: () => isGone };
  const clients = campaign.clientsOf(server, { ...of, name: 'client' });
  const writing = clients.map((client) => writeOn(client));
  await Promise.race([pause(life), Promise.all(writing)]);
  isGone = true;
  await store.database.kill();
  await Promise.all(writing);
  const [watcher] = campaign.clientsOf(server, { ...of, name: 'watcher' });
  const length = campaign.random.integer(0, LONGEST_OUTAGE_MS);
  const outage = await watchOutage({ server, database: store.database }, watcher!, length);
  const violations = [
    ...outage.violations,
    ...(await verifyAnswers(server.url, campaign.journal, since)),
    ...(await verifyDatabase(store.rows, campaign.journal)),
  ];
  const event = `database killed after ${life} ms for ${length} ms, writes went on after ${outage.recoveryMs} ms`;
  return { event, violations };
}
