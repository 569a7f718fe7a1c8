/**
 * `npm run test:faults`: makes every call to the database, to files and to S3 fail, one after the other, in each of the
 * main scenarios: the first call, then the second, and so on until a scenario has no more. After each the server is
 * started again on the same data, and everything that was acknowledged has to be there, nothing in part.
 * `--store sqlite|postgres`, `--scenario NAME`, `--every N` (1) takes each Nth call only, `--short` a few of each.
 * Ends with 1 where anything was lost.
 */
import { parseArgs } from 'node:util';
import { type Bulkhead, createBulkhead } from '../../src/index.js';
import { endWithSignals, say } from '../campaigns/campaign.js';
import { verifyDatabase } from '../campaigns/crash-database.js';
import { emptyJournal, type Journal } from '../campaigns/crash-journal.js';
import { verifyAnswers, type Violations } from '../campaigns/crash-verify.js';
import { freePort } from '../support/free-port.js';
import { openProofStore, type ProofDatabase, type ProofStore } from '../proof/proof-store.js';
import { create, type Writer } from './actions.js';
import { FaultInjection, type Moment } from './injection.js';
import { PATIENTS, type Scenario, SCENARIOS, type Stage } from './scenarios.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    scenario: { type: 'string' },
    every: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
  },
});

const SHORT_EVERY = 9;
const NOTHING_BEFORE = { entries: 0, transactions: 0, conditionals: 0 };
const STOP_MS = 20_000;

async function main(): Promise<void> {
  const { store: kind } = values;
  if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('--store is sqlite or postgres.');
  endWithSignals();
  const store = await openProofStore(kind, 'definitions');
  try {
    const injection = await FaultInjection.install({ folder: store.folder, databasePort: store.port });
    for (const scenario of SCENARIOS) {
      if (values.scenario === undefined || scenario.name.includes(values.scenario)) {
        for (const moment of ['before', 'after'] as const)
          await runScenario(store, injection, { scenario, moment });
      }
    }
  } finally {
    await store.close();
  }
}

interface Ordeal {
  readonly scenario: Scenario;
  readonly moment: Moment;
}

async function runScenario(store: ProofStore, injection: FaultInjection, ordeal: Ordeal): Promise<void> {
  const every = values.short ? SHORT_EVERY : Number(values.every);
  let faults = 0;
  for (let at = 1; ; at += every) {
    const database = await store.create();
    try {
      const { struck, violations } = await runFault({ store, database, injection }, ordeal, at);
      if (violations.length > 0) {
        process.exitCode = 1;
        say(`${ordeal.scenario.name}, ${ordeal.moment} call ${at} (${struck ?? 'nothing has failed'}):`);
        for (const violation of violations) say(`  violation: ${violation}`);
      }
      if (struck === undefined) break;
      faults++;
    } finally {
      await database.drop();
    }
  }
  say(`${ordeal.scenario.name}, ${ordeal.moment} each call: ${faults} faults`);
}

interface Place {
  readonly store: ProofStore;
  readonly database: ProofDatabase;
  readonly injection: FaultInjection;
}

async function runFault(
  { store, database, injection }: Place,
  { scenario, moment }: Ordeal,
  at: number,
): Promise<{ readonly struck: string | undefined; readonly violations: Violations }> {
  const journal = emptyJournal();
  const port = await freePort();
  const first = await open(database, port);
  await furnish(first, journal);
  injection.arm(at, moment);
  const failure = await failureOf(() => scenario.act(stageOf(first, store, journal)));
  const struck = injection.disarm();
  const stopped = await stop(first.bulkhead);
  const second = await open(database, port);
  const violations = [...failure, ...stopped];
  try {
    const stage = stageOf(second, store, journal);
    violations.push(...((await scenario.check?.(stage)) ?? []));
    violations.push(...(await verifyAnswers(second.url, journal, NOTHING_BEFORE)));
    if (journal.entries.every(({ pending }) => pending === undefined)) {
      violations.push(...(await verifyDatabase(database.rows, journal)));
    }
  } catch (error) {
    violations.push(`after the restart: ${String(error)}`);
  } finally {
    await second.bulkhead.stop();
  }
  return { struck, violations };
}

interface Opened {
  readonly bulkhead: Bulkhead;
  readonly url: string;
}

/** Exports tell URLs of the server that they were asked of: the second one is where the first one was. */
async function open({ settings }: ProofDatabase, port: number): Promise<Opened> {
  const bulkhead = await createBulkhead({
    settings: { port, logLevel: 'silent', sqliteSynchronous: 'normal', databasePoolSize: 4, ...settings },
  });
  return { bulkhead, url: (await bulkhead.start()).url };
}

/** Two tenants with patients. */
async function furnish({ bulkhead, url }: Opened, journal: Journal): Promise<void> {
  if (bulkhead.partitions.list().length === 1) {
    await bulkhead.partitions.create({ id: 1, name: 'acme' });
    await bulkhead.partitions.create({ id: 2, name: 'beta' });
  }
  const writers: readonly Writer[] = [
    { base: `${url}/acme`, tenant: 'acme', journal },
    // Whoever purges this one has nothing to look for.
    { base: `${url}/beta`, tenant: 'beta', journal: emptyJournal() },
  ];
  for (const writer of writers) {
    for (let number = 0; number < PATIENTS; number++) await create(writer, `${writer.tenant}-${number}`);
  }
}

function stageOf({ bulkhead, url }: Opened, store: ProofStore, journal: Journal): Stage {
  return { bulkhead, url, store: store.kind, writer: { base: `${url}/acme`, tenant: 'acme', journal } };
}

/** A scenario is told of faults by answers; what it throws is a request that hangs, or the like. */
async function failureOf(act: () => Promise<void>): Promise<Violations> {
  try {
    await act();
    return [];
  } catch (error) {
    return [String(error)];
  }
}

async function stop(bulkhead: Bulkhead): Promise<Violations> {
  const { promise, resolve } = Promise.withResolvers<Violations>();
  const late = setTimeout(() => resolve(['the server does not stop']), STOP_MS);
  bulkhead.stop().then(
    () => resolve([]),
    (error: unknown) => resolve([`stop: ${String(error)}`]),
  );
  const violations = await promise;
  clearTimeout(late);
  return violations;
}

await main();
