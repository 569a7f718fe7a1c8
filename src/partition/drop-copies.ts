import { setTimeout as pause } from 'node:timers/promises';
import { Pace } from './pace.js';
import type { PendingPath, ReindexParts, RetiredCopies } from './reindex-parts.js';
import { targetPartitions, whileServed } from './served-partitions.js';

/** Rows of one transaction: writers wait a few milliseconds at most. */
const BATCH = 500;
const POLL_MS = 50;

type DropParts = Pick<ReindexParts, 'storage' | 'paths' | 'clock'>;

/**
 * Deletes the copies of uplifts that were taken back, once no server searches by them any more; not those of an uplift
 * that has come back meanwhile. False where it was stopped; then it is done again from the beginning.
 */
export async function dropCopies(
  parts: DropParts,
  { paths, at }: RetiredCopies,
  isStopped: () => Promise<boolean>,
): Promise<boolean> {
  const settled = parts.paths.settledAt({ since: at });
  while (parts.clock() < settled) {
    if (await isStopped()) return false;
    await pause(POLL_MS);
  }
  const { storage } = parts;
  const pace = new Pace();
  for (const partition of await targetPartitions(storage, { partitions: null })) {
    for (let dropped = BATCH; dropped === BATCH;) {
      if (await isStopped()) return false;
      const retired = await stillRetired(parts, paths);
      if (retired.length === 0) return true;
      const some = await whileServed({ storage, isStopped: () => false }, partition, () =>
        storage.useRows(partition, ({ copies }) => copies.drop(partition, retired, BATCH)),
      );
      dropped = some ?? 0;
      await pace.rest();
    }
  }
  return true;
}

/** What has come back, has done so at another time. */
async function stillRetired(
  { paths }: DropParts,
  retired: readonly PendingPath[],
): Promise<readonly PendingPath[]> {
  await paths.refresh();
  const now = new Set(paths.retiredCopies().map(keyOf));
  return retired.filter((path) => now.has(keyOf(path)));
}

function keyOf({ resourceType, kind, path, since }: PendingPath): string {
  return JSON.stringify([resourceType, kind, path, since]);
}
