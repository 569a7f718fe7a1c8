import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../model/partition.js';
import type { Storage } from '../storage/storage.js';
import type { ReindexTarget } from './reindex-parts.js';

/** A partition that is being moved is tried again after this time. */
const MOVING_MS = 200;

/** The partitions of the target that there are by now, by their ids. */
export async function targetPartitions(
  { partitions: registry }: Pick<Storage, 'partitions'>,
  { partitions }: Pick<ReindexTarget, 'partitions'>,
): Promise<readonly PartitionId[]> {
  const registered = await registry.list();
  return [DEFAULT_PARTITION_ID, ...registered.map(({ id }) => id)]
    .filter((id) => partitions === null || partitions.includes(id))
    .toSorted((a, b) => a - b);
}

/** What waits for a partition, and until when. */
export interface ServedWait {
  readonly storage: Pick<Storage, 'partitions'>;
  readonly isStopped: () => boolean;
}

/** Waits for a partition that is being moved; undefined where it has gone, or the wait was stopped. */
export async function whileServed<Result>(
  { storage, isStopped }: ServedWait,
  partition: PartitionId,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  while (!isStopped()) {
    try {
      return await work();
    } catch (error) {
      if (!isNotServed(error)) throw error;
      const registered = await storage.partitions.list();
      if (!registered.some(({ id }) => id === partition)) return undefined;
      await pause(MOVING_MS);
    }
  }
  return undefined;
}

function isNotServed(error: unknown): boolean {
  return error instanceof FhirError && error.code === 'UNKNOWN_PARTITION';
}
