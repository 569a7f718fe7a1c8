import type { PartitionId } from '../model/partition.js';
import type { HomeRows, ResourceMark } from '../storage/placement/home.js';
import { Pace } from './pace.js';
import type { ReindexParts, ReindexTarget } from './reindex-parts.js';
import { type ServedWait, targetPartitions, whileServed } from './served-partitions.js';

/** Resources that are counted at once: a millisecond's work along an index. */
const SLICE = 5_000;

/** How many resources a job has to look at, as they are now; undefined where it was stopped. */
export async function countTarget(
  { storage }: Pick<ReindexParts, 'storage'>,
  target: ReindexTarget,
  isStopped: ServedWait['isStopped'],
): Promise<number | undefined> {
  const pace = new Pace();
  let total = 0;
  for (const partition of await targetPartitions(storage, target)) {
    let next: CountedSlice | undefined = { count: 0, after: null };
    do {
      const { after }: CountedSlice = next;
      next = await whileServed({ storage, isStopped }, partition, () =>
        storage.useRows(partition, (rows) => countSlice(rows, { partition, after, target })),
      );
      total += next?.count ?? 0;
      await pace.rest();
    } while (next?.after);
    if (isStopped()) return undefined;
  }
  return total;
}

interface CountedSlice {
  readonly count: number;
  /** Where the next slice begins; null: nowhere. */
  readonly after: Pick<ResourceMark, 'typeId' | 'id'> | null;
}

async function countSlice(
  rows: HomeRows,
  {
    partition,
    after,
    target: { types },
  }: {
    readonly partition: PartitionId;
    readonly after: CountedSlice['after'];
    readonly target: ReindexTarget;
  },
): Promise<CountedSlice> {
  const counted = await rows.countAfter(partition, after, SLICE);
  const isWhole = counted.reduce((sum, { count }) => sum + count, 0) === SLICE;
  const wanted = counted.filter(({ type }) => types?.includes(type) ?? true);
  return {
    count: wanted.reduce((sum, { count }) => sum + count, 0),
    after: isWhole ? (counted.at(-1) ?? null) : null,
  };
}
