import type { PartitionId } from '../model/partition.js';
import type { HomeRows, ResourceMark, StaleTarget } from '../storage/placement/home.js';
import type { CopyRule } from '../storage/store.js';

/** What is copied between resources now. */
export interface CopyRules {
  /** Copies that resources of the type have. */
  copiesOf(resourceType: string): readonly CopyRule[];
  /** Types whose values are copied; empty where nothing is. */
  targetTypes(): readonly string[];
}

/** How far the copies of a partition are renewed; stands in a job's result. */
export interface CopiesProgress {
  /** The last resource that was walked past. */
  readonly after: ResourceMark | null;
  /** What waited for it when the walk began. */
  readonly stale: readonly StaleTarget[];
}

/** Resources of one transaction: writers wait a few milliseconds at most. */
const PAGE = 100;
/** Those that wait are remembered until the walk is done; where there are more, it is walked again. */
const MOST_STALE = 1_000;

/** Gives the next resources the copies that they should have; undefined where all of the partition have them. */
export async function renewCopies(
  rows: Pick<HomeRows, 'copies' | 'marks'>,
  rules: CopyRules,
  partition: PartitionId,
  reached: CopiesProgress | null,
): Promise<CopiesProgress | undefined> {
  const { copies } = rows;
  const types = rules.targetTypes();
  if (types.length === 0) return undefined;
  const begin = async (): Promise<CopiesProgress> => ({
    after: null,
    stale: await copies.stale(partition, types, MOST_STALE),
  });
  const progress = reached ?? (await begin());
  const page = await rows.marks(partition, progress.after, PAGE);
  const owners = page.filter(({ type }) => rules.copiesOf(type).length > 0);
  if (owners.length > 0) {
    const owned = new Set(owners.map(({ type }) => type));
    const rowIds = owners.map(({ rowId }) => rowId);
    await copies.renew(
      partition,
      rowIds,
      [...owned].flatMap((type) => rules.copiesOf(type)),
    );
  }
  const last = page.at(-1);
  if (last && page.length === PAGE) return { ...progress, after: last };
  await copies.settle(partition, progress.stale);
  return progress.stale.length === MOST_STALE ? begin() : undefined;
}
