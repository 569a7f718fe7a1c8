/**
 * `npm run test:move`: fills a tenant, moves it from one placement to the next while clients read and write, and kills
 * the server at random points of every move. After each move all that a client can see is compared with what it saw
 * before: every version, search answers, claims and blobs, of the tenant and of a neighbour who stays.
 * `--store postgres` (sqlite), `--resources N` (100000), `--short` (3000), `--kills N` of each move (4), `--seed N`.
 * Prints the longest pause that a writer and a reader saw. Ends with 1 at the first violation.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Placement } from '../../src/model/partition.js';
import { createTenants, endWithSignals, say } from './campaign.js';
import { CrashServer } from './crash-server.js';
import { type CrashStore, createCrashStore } from './crash-store.js';
import type { Violations } from './crash-verify.js';
import {
  concludeJob,
  type JobOptions,
  neighbourOf,
  parseJobOptions,
  secondsSince,
  tenantOf,
  urlOf,
} from './job-campaign.js';
import { request } from './move-client.js';
import { fill, patientsFor } from './move-content.js';
import { compare, type Inventory, takeInventory } from './move-inventory.js';
import { newestMove } from './move-jobs.js';
import { MoveLoad } from './move-load.js';
import { type Random, seededRandom } from './random.js';

const ROUTES: Readonly<Record<'sqlite' | 'postgres', readonly Placement[]>> = {
  sqlite: ['database', 'shared'],
  postgres: ['schema', 'database', 'shared'],
};
const CLIENTS = 4;
const NEIGHBOUR_RESOURCES = 1_000;
const POLL_MS = 20;
const MOST_MINUTES_OF_A_MOVE = 120;

/** What one run of the campaign shares. */
interface Campaign {
  readonly store: CrashStore;
  readonly server: CrashServer;
  readonly random: Random;
  readonly load: MoveLoad;
  readonly options: JobOptions;
  readonly before: { readonly tenant: Inventory; readonly neighbour: Inventory };
}

async function main(): Promise<void> {
  const options = parseJobOptions({ short: 3_000, kills: 4 }, ' in each move');
  endWithSignals();
  const store = await createCrashStore(options.store);
  const server = await CrashServer.create(store.environment);
  try {
    await server.start();
    const campaign = await prepare({ store, server, options, random: seededRandom(options.seed) });
    const route = ROUTES[options.store];
    const violations = await runRoute(campaign, route);
    if (violations.length === 0)
      say(`equal before and after ${route.length} moves, ${campaign.load.writes} writes meanwhile`);
    concludeJob(violations, [store], options);
  } finally {
    await server.kill();
  }
}

async function prepare(parts: Pick<Campaign, 'store' | 'server' | 'options' | 'random'>): Promise<Campaign> {
  const { server, options, random } = parts;
  await createTenants(server);
  const patients = patientsFor(options.resources);
  const began = performance.now();
  await fill(tenantOf(server), patients);
  await fill(neighbourOf(server), patientsFor(NEIGHBOUR_RESOURCES));
  const before = {
    tenant: await takeInventory(tenantOf(server)),
    neighbour: await takeInventory(neighbourOf(server)),
  };
  say(`${before.tenant.versions.size} versions, filled and listed in ${secondsSince(began)} s`);
  return { ...parts, before, load: new MoveLoad(tenantOf(server), { random, patients }) };
}

async function runRoute(campaign: Campaign, route: readonly Placement[]): Promise<Violations> {
  for (const to of route) {
    const violations = await runMove(campaign, to);
    if (violations.length > 0) return violations;
  }
  return [];
}

async function runMove(campaign: Campaign, to: Placement): Promise<Violations> {
  const { load, server, before } = campaign;
  const began = performance.now();
  load.start(CLIENTS);
  await startMove(server, to);
  const kills = await killOnTheWay(campaign);
  const { paused, left } = await untilMoved(campaign);
  await load.stop();
  const duration = secondsSince(began);
  const violations = [
    ...(left === 0 ? [] : [`${left} rows are left in the old place`]),
    ...(await load.verify(to)),
    ...compare(before.tenant, await takeInventory(tenantOf(server)), `moved to ${to}`),
    ...compare(before.neighbour, await takeInventory(neighbourOf(server)), `beside a move to ${to}`),
  ];
  say(
    `to ${to}: ${duration} s, ${kills} kills, writers held up for ${paused} ms; longest write ` +
      `${load.longestWrite.toFixed(0)} ms, longest read ${load.longestRead.toFixed(0)} ms, ` +
      `${load.writes} writes and ${load.reads} reads so far, ${violations.length} violations`,
  );
  return violations;
}

async function startMove({ url }: CrashServer, to: Placement): Promise<void> {
  const parameter = [
    { name: 'id', valueInteger: 1 },
    { name: 'to', valueCode: to },
  ];
  const body = { resourceType: 'Parameters', parameter };
  await request(url, 'POST', '$partition-management-move-partition', { body, status: 200 });
}

/** Kills while resources are copied, about when writers are held up, and while old rows go. Answers how often. */
async function killOnTheWay(campaign: Campaign): Promise<number> {
  const { random, store } = campaign;
  const { kills, resources } = campaign.options;
  const isThere: readonly (() => Promise<boolean>)[] = Array.from({ length: kills }, (_, index) => {
    if (index === kills - 1) return async () => (await progressOf(store))?.phase === 'drain';
    const part = index === kills - 2 ? 1 : random.integer(0, 95) / 100;
    return async () => ((await progressOf(store))?.copied ?? 0) >= part * resources;
  });
  let killed = 0;
  for (const reached of isThere) {
    while (!(await reached()) && !(await isDone(store))) await pause(POLL_MS);
    await pause(random.integer(0, 400));
    if (await isDone(store)) break;
    await campaign.server.kill();
    killed++;
    await store.settle();
    await campaign.server.start();
  }
  return killed;
}

async function untilMoved({ store }: Campaign): Promise<{ readonly paused: number; readonly left: number }> {
  const end = Date.now() + MOST_MINUTES_OF_A_MOVE * 60_000;
  while (!(await isDone(store))) {
    if (Date.now() > end) throw new Error('The move does not end.');
    await pause(POLL_MS);
  }
  const progress = await progressOf(store);
  return { paused: progress?.paused ?? 0, left: progress?.left ?? -1 };
}

async function isDone(store: CrashStore): Promise<boolean> {
  return (await newestMove(urlOf(store)))?.state === 'done';
}

async function progressOf(store: CrashStore) {
  return (await newestMove(urlOf(store)))?.progress;
}

await main();
