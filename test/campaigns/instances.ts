/**
 * `npm run test:instances`: two servers on one PostgreSQL, with clients on both. Again and again one of them is
 * killed and started again: nobody but its own clients may notice, and nothing may be lost or doubled.
 * `--cycles N` (20), `--short` (3), `--seed N`. Ends with 1 at the first cycle that violates anything.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Campaign, createTenants, endWithSignals, say } from './campaign.js';
import { verifyDatabase } from './crash-database.js';
import { writeOn } from './crash-load.js';
import { CrashServer } from './crash-server.js';
import { type CrashStore, createPostgresStore } from './crash-store.js';
import { verifyAnswers, type Violations } from './crash-verify.js';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '20' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});

const SHORTEST_LIFE_MS = 100;
const LONGEST_LIFE_MS = 1500;
/** How long both are loaded after the restart. */
const TOGETHER_MS = 500;
/** What one instance creates, the others know after this time. */
const COHERENCE_MS = 1000;

async function main(): Promise<void> {
  const cycles = values.short ? 3 : Number(values.cycles);
  const campaign = new Campaign(Number(values.seed ?? Date.now() % 1_000_000));
  say(`seed ${campaign.seed}, ${cycles} cycles, two instances on PostgreSQL`);
  endWithSignals();
  const store = await createPostgresStore();
  const servers = [await CrashServer.create(store.environment), await CrashServer.create(store.environment)];
  try {
    // Both at once, on a database without a schema.
    await Promise.all(servers.map((server) => server.start()));
    await createTenants(servers[0]!);
    await pause(COHERENCE_MS);
    campaign.conclude(await runCycles(campaign, { store, servers }, cycles), `${cycles} kills`);
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
  }
  store.dispose();
}

interface Installation {
  readonly store: CrashStore;
  readonly servers: readonly CrashServer[];
}

async function runCycles(
  campaign: Campaign,
  installation: Installation,
  cycles: number,
): Promise<Violations> {
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const before = campaign.journal.acknowledged;
    const violations = await runCycle(campaign, installation, cycle);
    const written = campaign.journal.acknowledged - before;
    say(`cycle ${cycle}: ${written} acknowledged writes, ${violations.length} violations`);
    if (violations.length > 0) return violations;
  }
  return [];
}

async function runCycle(
  campaign: Campaign,
  { store, servers }: Installation,
  cycle: number,
): Promise<Violations> {
  const since = campaign.mark();
  const victim = campaign.random.pick(servers)!;
  const survivor = servers.find((server) => server !== victim)!;
  let isOver = false;
  const of = { cycle, isOver: () => isOver, mayRefuse: () => false };
  const load = (server: CrashServer, name: string): Promise<readonly ('over' | 'gone')[]> =>
    Promise.all(campaign.clientsOf(server, { ...of, name }).map((client) => writeOn(client)));
  const surviving = load(survivor, 'survivor');
  const dying = load(victim, 'victim');
  await Promise.race([
    pause(campaign.random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS)),
    Promise.all([surviving, dying]),
  ]);
  await victim.kill();
  await dying;
  await victim.start();
  const restarted = load(victim, 'restarted');
  await Promise.race([pause(TOGETHER_MS), Promise.all([surviving, restarted])]);
  isOver = true;
  const ends = [...(await surviving), ...(await restarted)];
  await store.settle();
  return [
    ...ends.filter((end) => end === 'gone').map(() => 'a request to a server that was not killed failed'),
    ...(await verifyAnswers(survivor.url, campaign.journal, since)),
    ...(await verifyAnswers(victim.url, campaign.journal, since)),
    ...(await verifyDatabase(store.rows, campaign.journal)),
  ];
}

await main();
