import type { Found, TopologyReport, TopologyTask } from './topology-run.js';

export interface ProofOptions extends TopologyTask {
  /** Steps at which no further topology is begun. */
  readonly ops: number;
  /** Milliseconds since 1970 UTC at which none is begun. */
  readonly until: number;
  /** Topologies that run side by side. */
  readonly workers: number;
  readonly onTopology?: (proof: Proof) => void;
}

/** What has been proved so far, or refuted. */
export interface Proof {
  readonly topologies: number;
  readonly steps: number;
  readonly statuses: ReadonlyMap<number, number>;
  /** As `performance.now()`. */
  readonly begun: number;
  readonly found: Found | undefined;
}

/** Runs topologies, by the next seeds, until it has done enough or one fails. */
export async function prove(
  run: (task: TopologyTask) => Promise<TopologyReport>,
  options: ProofOptions,
): Promise<Proof> {
  const { ops, until, workers, onTopology, seed, ...task } = options;
  let proof: Proof = {
    topologies: 0,
    steps: 0,
    statuses: new Map(),
    begun: performance.now(),
    found: undefined,
  };
  let next = seed;
  const work = async (): Promise<void> => {
    while (proof.found === undefined && proof.steps < ops && Date.now() < until) {
      const report = await run({ ...task, seed: next++ });
      proof = {
        ...proof,
        topologies: proof.topologies + 1,
        steps: proof.steps + report.steps,
        statuses: sum(proof.statuses, report.statuses),
        found: proof.found ?? report.found,
      };
      onTopology?.(proof);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return proof;
}

function sum(
  one: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const all = new Map(one);
  for (const [key, count] of other) all.set(key, (all.get(key) ?? 0) + count);
  return all;
}
