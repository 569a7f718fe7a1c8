/**
 * `npm run test:reindex`: fills a tenant, adds search parameters of every kind, and reindexes while clients write to it
 * and to a neighbour, and the server is killed again and again. Afterwards every index row and the answers of searches
 * are compared with those of a database that was loaded when the parameters were there already. The neighbour's p95
 * must stay within twice that of the same clients on a server that does not
 * reindex, which runs and is killed beside it. `--store postgres` (sqlite), `--resources N` (100000), `--short` (10000),
 * `--kills N` (3), `--seed N`. Ends with 1 where anything differs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Bundle } from 'fhir/r4.js';
import type { Resource } from '../../src/model/resource.js';
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
import { get, request } from './move-client.js';
import { newestReindex } from './move-jobs.js';
import { type Random, seededRandom } from './random.js';
import { parameters, resourcesOf, SEARCHES, storeAll } from './reindex-content.js';
import { percentile, ReindexLoad } from './reindex-load.js';
import { compareRows } from './reindex-rows.js';

const NEIGHBOUR_RESOURCES = 1_000;
/** Patients of the tenant that are changed meanwhile. */
const CHANGED_PATIENTS = 200;
const POLL_MS = 20;
/** After a start code and caches are cold, whatever else the server does. */
const COLD_MS = 3_000;
/** Below this a machine's own unrest counts for more. */
const UNREST_MS = 10;
const MOST_MINUTES = 60;
/** Id of the first tenant. */
const ACME = 1;

/** What one run of the campaign shares. */
interface Campaign {
  readonly store: CrashStore;
  readonly server: CrashServer;
  /** Has the neighbour alone, and does not reindex. */
  readonly control: CrashServer;
  readonly random: Random;
  readonly options: JobOptions;
}

async function main(): Promise<void> {
  const options = parseJobOptions({ short: 10_000, kills: 3 }, '');
  endWithSignals();
  const [store, fresh] = [await createCrashStore(options.store), await createCrashStore(options.store)];
  const server = await CrashServer.create(store.environment);
  const other = await CrashServer.create(fresh.environment);
  try {
    await Promise.all([server.start(), other.start()]);
    const random = seededRandom(options.seed);
    const violations = await run({ store, server, control: other, random, options });
    violations.push(...(await compareWithFresh({ store, server }, { store: fresh, server: other })));
    concludeJob(violations, [store, fresh], options);
  } finally {
    await Promise.all([server.kill(), other.kill()]);
  }
}

async function run(campaign: Campaign): Promise<Violations> {
  const { server, control } = campaign;
  await fill(campaign);
  const [load, usual] = [loadOf(campaign, server), loadOf(campaign, control)];
  await addParameters(server);
  const began = performance.now();
  await request(server.url, 'POST', '$reindex', { body: { resourceType: 'Parameters' }, status: 202 });
  const kills = await killOnTheWay(campaign, [load, usual]);
  const violations = await untilDone(campaign);
  await Promise.all([load.stop(), usual.stop()]);
  const [high, normal] = [percentile(load.times, 0.95), percentile(usual.times, 0.95)];
  say(
    `${secondsSince(began)} s, ${kills} kills, ${load.writes} writes meanwhile; neighbour's ` +
      `p95 ${high.toFixed(1)} ms (${load.times.length} answers) beside ${normal.toFixed(1)} ms (${usual.times.length})`,
  );
  if (high > Math.max(2 * normal, UNREST_MS))
    violations.push(
      `the neighbour's p95 is ${high.toFixed(1)} ms, without a reindex ${normal.toFixed(1)} ms`,
    );
  return [...violations, ...load.violations.slice(0, 10)];
}

function loadOf({ random, options, server }: Campaign, target: CrashServer): ReindexLoad {
  return new ReindexLoad(
    {
      tenant: target === server ? tenantOf(target) : neighbourOf(target),
      patients: Math.min(CHANGED_PATIENTS, Math.min(options.resources, NEIGHBOUR_RESOURCES) / 10),
      neighbour: neighbourOf(target),
      neighbourPatients: NEIGHBOUR_RESOURCES / 5,
    },
    random,
  );
}

async function fill({ server, control, options }: Campaign): Promise<void> {
  const began = performance.now();
  await Promise.all([server, control].map((one) => createTenants(one)));
  await storeAll(tenantOf(server), resourcesOf(options.resources));
  for (const one of [server, control]) await storeAll(neighbourOf(one), resourcesOf(NEIGHBOUR_RESOURCES));
  say(`filled in ${secondsSince(began)} s`);
}

async function addParameters({ url }: CrashServer): Promise<void> {
  for (const body of parameters()) await request(url, 'POST', 'SearchParameter', { body, status: 201 });
}

/** Kills at random points of the walk; times are taken while it works. Answers how often. */
async function killOnTheWay(campaign: Campaign, loads: readonly ReindexLoad[]): Promise<number> {
  const { random, options, store, server, control } = campaign;
  const { kills: count, resources } = options;
  const parts = Array.from({ length: count }, (_, n) => (n + random.integer(10, 90) / 100) / (count + 1));
  let killed = 0;
  for (const part of [...parts, Number.POSITIVE_INFINITY]) {
    await pause(killed > 0 ? COLD_MS : 0);
    for (const from = await seen(store); !(await isDone(store)) && (await seen(store)) < part * resources;) {
      if ((await seen(store)) > from) for (const load of loads) load.measure();
      await pause(POLL_MS);
    }
    for (const load of loads) load.rest();
    if (await isDone(store)) break;
    await Promise.all([server.kill(), control.kill()]);
    killed++;
    await store.settle();
    await Promise.all([server.start(), control.start()]);
  }
  return killed;
}

async function untilDone({ store }: Campaign): Promise<Violations> {
  const end = Date.now() + MOST_MINUTES * 60_000;
  while (!(await isDone(store))) {
    if (Date.now() > end) throw new Error('The reindex does not end.');
    await pause(POLL_MS);
  }
  const job = await newestReindex(urlOf(store));
  say(`${job?.progress?.seen} resources were looked at, ${job?.progress?.added} rows were missing`);
  return job?.state === 'done' ? [] : [`the job is ${job?.state}: ${job?.progress?.failures.join()}`];
}

/** Loads what the tenant has now into a database that knows the parameters. */
async function compareWithFresh(
  here: Pick<Campaign, 'store' | 'server'>,
  there: Pick<Campaign, 'store' | 'server'>,
): Promise<Violations> {
  await addParameters(there.server);
  const types = ['Organization', 'Patient', 'Observation'];
  const current: Resource[] = [];
  for (const type of types) for await (const one of allOf(tenantOf(here.server), type)) current.push(one);
  await storeAll(tenantOf(there.server), inOrder(current));
  const { count, violations } = await compareRows(here.store, there.store, ACME);
  say(`${current.length} resources and ${count} index rows compared with a fresh load`);
  for (const search of SEARCHES) {
    const [ours, theirs] = [await answerOf(here.server, search), await answerOf(there.server, search)];
    if (ours.warnings > 0) violations.push(`${search}: the answer says that it is not complete`);
    if (ours.ids.length === 0) violations.push(`${search} finds nothing`);
    if (ours.ids.join() !== theirs.ids.join())
      violations.push(`${search}: ${ours.ids.length} found, ${theirs.ids.length} in the fresh load`);
  }
  return violations;
}

/** Each patient is followed by the observations that refer to it. */
function* inOrder(resources: readonly Resource[]): Iterable<Resource> {
  const observations = Map.groupBy(
    resources.filter(({ resourceType }) => resourceType === 'Observation'),
    ({ id = '' }) => id.slice(1).split('-')[0] ?? '',
  );
  for (const resource of resources) {
    if (resource.resourceType === 'Observation') continue;
    yield resource;
    if (resource.resourceType === 'Patient') yield* observations.get((resource.id ?? '').slice(1)) ?? [];
  }
}

/** What a search finds, sorted; nobody has reindexed a fresh load, which warns though nothing is missing there. */
async function answerOf(
  server: CrashServer,
  search: string,
): Promise<{ readonly ids: readonly string[]; readonly warnings: number }> {
  const found: string[] = [];
  for await (const { resourceType, id } of allOf(tenantOf(server), search))
    found.push(`${resourceType}/${id}`);
  const ids = found.filter((one) => !one.startsWith('OperationOutcome/')).toSorted();
  return { ids, warnings: found.length - ids.length };
}

async function* allOf(base: string, search: string): AsyncIterable<Resource> {
  const first = `${search}${search.includes('?') ? '&' : '?'}_count=1000`;
  for (let path: string | undefined = first; path !== undefined;) {
    const page: Bundle = await get<Bundle>(base, path);
    for (const { resource } of page.entry ?? []) if (resource) yield resource as unknown as Resource;
    path = page.link?.find(({ relation }) => relation === 'next')?.url;
  }
}

async function isDone(store: CrashStore): Promise<boolean> {
  return (await newestReindex(urlOf(store)))?.state !== 'running';
}

async function seen(store: CrashStore): Promise<number> {
  return (await newestReindex(urlOf(store)))?.progress?.seen ?? 0;
}

await main();
