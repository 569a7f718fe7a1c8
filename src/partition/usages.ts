import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../model/errors.js';
import type { PartitionId } from '../model/partition.js';
import type { PartitionUsage } from '../model/quota.js';
import type { UsageCount, UsageStore } from '../storage/partition-usage.js';

/** Longest wait of a request for a count, in milliseconds; the count goes on. */
const LONGEST_WAIT_MS = 10_000;
const RETRY_MS = 25;

/** What partitions hold, and when it is counted: once, before their first quota is looked at. */
export class PartitionUsages {
  private readonly counts = new Map<PartitionId, Promise<UsageCount | undefined>>();

  constructor(private readonly store: UsageStore) {}

  /** Undefined where it is not kept. */
  read(partition: PartitionId): Promise<PartitionUsage | undefined> {
    return this.store.read(partition);
  }

  /**
   * Counts the partition unless it is counted; whoever asks at the same time waits for the same count.
   * @throws FhirError BUSY where it takes long, UNKNOWN_PARTITION
   */
  async ensure(partition: PartitionId): Promise<void> {
    const end = performance.now() + LONGEST_WAIT_MS;
    while ((await this.store.read(partition)) === undefined) {
      const left = end - performance.now();
      if (left <= 0) throw stillCounting();
      await inTime(this.count(partition), left);
      await pause(RETRY_MS);
    }
  }

  /** Counts anew and corrects what was kept. Undefined where another server is counting. */
  count(partition: PartitionId): Promise<UsageCount | undefined> {
    const counting = this.counts.get(partition) ?? this.start(partition);
    this.counts.set(partition, counting);
    return counting;
  }

  private async start(partition: PartitionId): Promise<UsageCount | undefined> {
    try {
      return await this.store.count(partition);
    } finally {
      this.counts.delete(partition);
    }
  }
}

async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  const late = pause(ms, undefined, { signal: over.signal }).catch(() => undefined);
  // A failure after the wait is the next one's to find.
  work.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

function stillCounting(): FhirError {
  const message = 'What the partition holds is being counted, as it has got its first quota.';
  return new FhirError('BUSY', message, { headers: { 'Retry-After': '5' } });
}
