/**
 * `npm run prove`: what a tenant is answered does not depend on others, and nothing of theirs is in it. Random tenants
 * run random programs, all on one server and each on one of its own, and every answer is compared.
 * `--ops N` (20000) steps in all, or `--minutes M`; `--store sqlite|postgres`; `--seed S` repeats a run; `--workers N`
 * processes, as many as the machine has cores if left out; `--steps N` (4000) of one topology; `--attempts N` (150) to
 * make a failure smaller; `--report FILE` for the numbers as JSON; `--short` for two minutes; `--self-test` plants leaks
 * and must find each. Ends with 1 where anything was found, or not found.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { endWithSignals, say } from '../campaigns/campaign.js';
import { PLANTS, type PlantName } from './plants.js';
import { prove, type Proof, type ProofOptions } from './proof.js';
import { listSteps } from './shrink.js';
import { WorkerPool } from './worker-pool.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    ops: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    steps: { type: 'string', default: '4000' },
    attempts: { type: 'string', default: '150' },
    report: { type: 'string' },
    short: { type: 'boolean', default: false },
    'self-test': { type: 'boolean', default: false },
  },
});

const SHORT_MINUTES = 2;
const DEFAULT_OPS = 20_000;
/** Every planted leak has to be found within so many steps. */
const PLANT_OPS = 40_000;

async function main(): Promise<void> {
  const { store: kind } = values;
  if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('--store is sqlite or postgres.');
  const options = optionsOf();
  say(`seed ${options.seed}, ${kind}`);
  endWithSignals();
  const pool = await WorkerPool.open(kind, options.workers);
  try {
    if (values['self-test']) await findPlants(pool, options);
    else {
      const onTopology = (proof: Proof): void => sayProgress(proof, options);
      conclude(await prove((task) => pool.run(task), { ...options, onTopology }), options.seed);
    }
  } finally {
    await pool.close();
  }
}

function optionsOf(): ProofOptions {
  const minutes = values.short ? SHORT_MINUTES : Number(values.minutes ?? Infinity);
  const ops = values.ops ?? (minutes === Infinity ? DEFAULT_OPS : Infinity);
  return {
    seed: Number(values.seed ?? Date.now() % 1_000_000_000),
    ops: Number(ops),
    until: Date.now() + minutes * 60_000,
    workers: Number(values.workers),
    steps: Number(values.steps),
    attempts: Number(values.attempts),
  };
}

function sayProgress({ topologies, steps, begun }: Proof, { ops }: ProofOptions): void {
  const seconds = (performance.now() - begun) / 1000;
  const share = ops === Infinity ? '' : ` (${((100 * steps) / ops).toFixed(1)} %)`;
  say(
    `${topologies} topologies, ${steps} steps${share}, ${seconds.toFixed(0)} s, ${Math.round(steps / seconds)} steps/s`,
  );
}

function conclude({ topologies, steps, statuses, found, begun }: Proof, seed: number): void {
  const seconds = (performance.now() - begun) / 1000;
  const counts = Object.fromEntries([...statuses].toSorted(([one], [other]) => one - other));
  const report = {
    seed,
    store: values.store,
    topologies,
    steps,
    seconds,
    statuses: counts,
    failure: found ?? null,
  };
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`answers by status: ${JSON.stringify(counts)}`);
  if (!found)
    return say(
      `seed ${seed}: 0 leaks, 0 differences: ${steps} steps of ${topologies} topologies, ${seconds.toFixed(0)} s`,
    );
  process.exitCode = 1;
  const { failure, topology, programs } = found;
  say(
    `\n${failure.kind} of tenant ${failure.tenant} in round ${failure.round}: ${failure.step}\n${failure.detail}\n`,
  );
  for (const line of listSteps(topology, programs)) say(line);
  say(`seed ${seed}; this topology alone: --seed ${topology.seed} --ops 1 --steps ${values.steps}`);
}

/** A proof that cannot fail proves nothing. */
async function findPlants(pool: WorkerPool, options: ProofOptions): Promise<void> {
  const names = Object.keys(PLANTS) as PlantName[];
  await Promise.all(names.map((plant) => findPlant(pool, { ...options, plant })));
}

/** One topology after the other, so that a seed always comes to the same. */
async function findPlant(
  pool: WorkerPool,
  options: ProofOptions & { readonly plant: PlantName },
): Promise<void> {
  const { found, steps } = await prove((task) => pool.run(task), {
    ...options,
    workers: 1,
    until: Infinity,
    ops: PLANT_OPS,
    attempts: 0,
  });
  const end = found ? `found after ${steps} steps as a ${found.failure.kind}` : `NOT found in ${steps} steps`;
  say(`${options.plant}: ${end}`);
  if (!found || found.failure.kind === 'error') process.exitCode = 1;
}

await main();
