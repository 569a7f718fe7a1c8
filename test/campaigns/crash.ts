/**
 * `npm run test:crash`: kills the server again and again while clients write, and compares what it answers after
 * each restart with what it had acknowledged. `--cycles N` (50), `--short` (5), `--seed N` (repeats a run's
 * choices; what the scheduler does to them differs). Ends with 1 at the first cycle that violates anything.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { verifyDatabase } from './crash-database.js';
import { emptyJournal } from './crash-journal.js';
import { writeUntilGone } from './crash-load.js';
import { CrashServer } from './crash-server.js';
import { verifyAnswers } from './crash-verify.js';
import { seededRandom, type Random } from './random.js';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '50' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});

const TENANTS = ['acme', 'beta'] as const;
const CLIENTS_OF_A_TENANT = 4;
const SHORTEST_LIFE_MS = 50;
const LONGEST_LIFE_MS = 1200;

const cycles = values.short ? 5 : Number(values.cycles);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-crash-'));
const server = await CrashServer.create(join(folder, 'crash.db'));
const journal = emptyJournal();
const random = seededRandom(seed);

say(`seed ${seed}, ${cycles} cycles`);
try {
  await server.start();
  for (const tenant of TENANTS) await createPartition(tenant);
  conclude(await runCampaign());
} finally {
  await server.kill();
}

async function runCampaign(): Promise<readonly string[]> {
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const violations = await runCycle(cycle);
    if (violations.length > 0) return violations;
  }
  return verifyAnswers(server.url, journal, { entries: 0, transactions: 0, conditionals: 0 });
}

function conclude(violations: readonly string[]): void {
  for (const violation of violations) say(`violation: ${violation}`);
  if (violations.length > 0) {
    say(`seed ${seed}; files kept in ${folder}`);
    process.exitCode = 1;
    return;
  }
  say(`nothing lost: ${journal.acknowledged} acknowledged writes, ${cycles} kills`);
  rmSync(folder, { recursive: true });
}

async function runCycle(cycle: number): Promise<readonly string[]> {
  const { entries, transactions, conditionals, acknowledged } = journal;
  const since = {
    entries: entries.length,
    transactions: transactions.length,
    conditionals: conditionals.size,
  };
  const before = acknowledged;
  const clients = TENANTS.flatMap((tenant) =>
    Array.from({ length: CLIENTS_OF_A_TENANT }, (_, number) => {
      const own: Random = seededRandom(random.integer(0, 2 ** 31));
      const base = `${server.url}/${tenant}`;
      return writeUntilGone({ name: `${tenant}-${number}`, base, tenant, random: own, journal, cycle });
    }),
  );
  const life = random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
  // A client that meets a wrong answer ends the campaign at once.
  await Promise.race([pause(life), Promise.all(clients)]);
  await server.kill();
  await Promise.all(clients);
  await server.start();
  const found = [...(await verifyAnswers(server.url, journal, since)), ...verifyDatabase(server.file)];
  say(
    `cycle ${cycle}: killed after ${life} ms and ${journal.acknowledged - before} acknowledged writes, ${found.length} violations`,
  );
  return found;
}

async function createPartition(name: string): Promise<void> {
  const body = JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'name', valueCode: name }] });
  const headers = { 'content-type': 'application/fhir+json' };
  const response = await fetch(`${server.url}/$partition-management-create-partition`, {
    method: 'POST',
    headers,
    body,
  });
  if (!response.ok) throw new Error(`partition ${name}: ${response.status} ${await response.text()}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
