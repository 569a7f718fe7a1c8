import { PLANTS, type PlantName } from './plants.js';
import type { ProofStore } from './proof-store.js';
import { shrink } from './shrink.js';
import { drawTopology, type Programs, type Topology } from './topology.js';
import { type Failure, runTrial, type TrialResult } from './trial.js';
import { openWorld } from './world.js';

/** One topology, as the seed says. */
export interface TopologyTask {
  readonly seed: number;
  /** Of all tenants together. */
  readonly steps: number;
  /** Runs that are spent on making what fails smaller. */
  readonly attempts: number;
  /** A leak that every server of it has. */
  readonly plant?: PlantName;
}

/** What came of a topology. */
export interface TopologyReport extends Pick<TrialResult, 'steps' | 'statuses'> {
  readonly found: Found | undefined;
}

/** A failure, and the smallest program that was found to fail so. */
export interface Found {
  readonly topology: Topology;
  readonly programs: Programs;
  readonly failure: Failure;
}

/** Runs the topology of a seed; makes what fails smaller. */
export async function runTopology(store: ProofStore, task: TopologyTask): Promise<TopologyReport> {
  const topology = drawTopology(task.seed, { store: store.kind, steps: task.steps });
  const { steps, statuses, failure } = await run(store, topology, task);
  const found = failure && (await minimal(store, topology, { ...task, failure }));
  return { steps, statuses, found };
}

async function run(
  store: ProofStore,
  topology: Topology,
  { plant }: Pick<TopologyTask, 'plant'>,
): Promise<TrialResult> {
  const world = await openWorld(store, topology, plant && PLANTS[plant]);
  try {
    return await runTrial(world, topology.programs);
  } finally {
    await world.close();
  }
}

async function minimal(
  store: ProofStore,
  topology: Topology,
  { failure, ...task }: TopologyTask & { readonly failure: Failure },
): Promise<Found> {
  const attempt = async (programs: Programs): Promise<Failure | undefined> =>
    (await run(store, { ...topology, programs }, task)).failure;
  const smallest = await shrink(topology, failure, { attempt, most: task.attempts });
  return { topology, ...smallest };
}
