/**
 * `npm run test:crash`: kills the server again and again while clients write, and compares what it answers after
 * each restart with what it had acknowledged. `--store postgres` (sqlite) has the database in PostgreSQL, and
 * `--kill database` (server) kills that instead, while the server stays up. `--cycles N` (50), `--short` (5),
 * `--seed N` (repeats a run's choices; what the scheduler does to them differs). Ends with 1 at the first cycle that
 * violates anything.
 */
import { parseArgs } from 'node:util';
import { Campaign, createTenants, endWithSignals, say } from './campaign.js';
import { type CycleReport, killDatabase, killServer } from './crash-cycles.js';
import { CrashServer } from './crash-server.js';
import { type CrashStore, createCrashStore, createPostgresStore } from './crash-store.js';
import { verifyAnswers, type Violations } from './crash-verify.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    kill: { type: 'string', default: 'server' },
    cycles: { type: 'string', default: '50' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});

/** What is killed, and how. */
interface Subject {
  readonly store: CrashStore;
  readonly server: CrashServer;
  readonly runCycle: (cycle: number) => Promise<CycleReport>;
}

async function main(): Promise<void> {
  const cycles = values.short ? 5 : Number(values.cycles);
  const campaign = new Campaign(Number(values.seed ?? Date.now() % 1_000_000));
  say(`seed ${campaign.seed}, ${cycles} cycles, ${values.store}, kills the ${values.kill}`);
  endWithSignals();
  const { store, server, runCycle } = await openSubject(campaign);
  try {
    await server.start();
    await createTenants(server);
    const violations = await runCycles(campaign, cycles, runCycle);
    const all = { entries: 0, transactions: 0, conditionals: 0 };
    if (violations.length === 0) violations.push(...(await verifyAnswers(server.url, campaign.journal, all)));
    campaign.conclude(violations, `${cycles} kills`);
    if (violations.length > 0) say(`kept: ${JSON.stringify(store.environment)}`);
    else store.dispose();
  } finally {
    await server.kill();
  }
}

async function openSubject(campaign: Campaign): Promise<Subject> {
  const { store: kind, kill } = values;
  if ((kind !== 'sqlite' && kind !== 'postgres') || (kill !== 'server' && kill !== 'database')) {
    throw new Error('--store is sqlite or postgres, and --kill is server or database.');
  }
  if (kill === 'server') {
    const store = await createCrashStore(kind);
    const server = await CrashServer.create(store.environment);
    return { store, server, runCycle: (cycle) => killServer(campaign, { store, server }, cycle) };
  }
  if (kind === 'sqlite') throw new Error('SQLite has no server that could be killed: say --store postgres.');
  const store = await createPostgresStore();
  const server = await CrashServer.create(store.environment);
  return { store, server, runCycle: (cycle) => killDatabase(campaign, { store, server }, cycle) };
}

async function runCycles(
  campaign: Campaign,
  cycles: number,
  runCycle: Subject['runCycle'],
): Promise<Violations> {
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const before = campaign.journal.acknowledged;
    const { violations, event } = await runCycle(cycle);
    const written = campaign.journal.acknowledged - before;
    say(`cycle ${cycle}: ${event}, ${written} acknowledged writes, ${violations.length} violations`);
    if (violations.length > 0) return violations;
  }
  return [];
}

await main();
