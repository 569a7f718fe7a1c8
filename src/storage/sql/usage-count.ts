import { randomUUID } from 'node:crypto';
import type { PartitionId } from '../../model/partition.js';
import type { PartitionUsage } from '../../model/quota.js';
import type { UsageCount } from '../partition-usage.js';

/** How often whoever counts is heard of, in milliseconds. */
const BEAT_MS = 2_000;
/** Whoever was not heard of for so long counts no more, in milliseconds. */
export const COUNT_LEASE_MS = 15_000;

/** A partition at one moment at which nobody was writing to it. */
export interface CountMoment {
  /** What was kept then; null: nothing, and from then on it is. */
  readonly kept: PartitionUsage | null;
  /** USED_RESOURCES and USED_BYTES then. */
  readonly before: PartitionUsage;
  /** Counts what the partition held then, whatever is written meanwhile. */
  readonly count: () => Promise<PartitionUsage>;
}

/** A count, as a store does it. */
export interface CountSteps {
  /** Undefined where another one counts. `work` begins when writers go on. */
  freeze<Result>(
    counted: Counted,
    work: (moment: CountMoment) => Promise<Result>,
  ): Promise<Result | undefined>;
  /** Tells the others that the count goes on. */
  beat(counted: Counted): Promise<void>;
  /** Adds what is missing; false where somebody else has begun to count. */
  finish(counted: Counted, missing: PartitionUsage): Promise<boolean>;
}

/** A count, and the partition that it is of. */
export interface Counted {
  readonly partition: PartitionId;
  readonly token: string;
}

/**
 * Counts a partition while writers go on: what is kept changes with them from one moment on, the partition is counted
 * as of that moment, and the difference is added at the end. A count that was killed is done anew by the next one.
 */
export async function countUsage(steps: CountSteps, partition: PartitionId): Promise<UsageCount | undefined> {
  const counted = { partition, token: randomUUID() };
  return steps.freeze(counted, async ({ kept, before, count }) => {
    const usage = await beating(() => steps.beat(counted), count);
    const missing = difference(usage, before);
    if (!(await steps.finish(counted, missing))) return undefined;
    return { usage, drift: kept === null ? undefined : missing };
  });
}

/** A beat that fails is made up for by the next one; the end fails where none comes through. */
async function beating<Result>(beat: () => Promise<void>, work: () => Promise<Result>): Promise<Result> {
  const timer = setInterval(() => void beat().catch(() => undefined), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function difference(a: PartitionUsage, b: PartitionUsage): PartitionUsage {
  return { resources: a.resources - b.resources, bytes: a.bytes - b.bytes };
}
