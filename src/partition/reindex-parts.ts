import type { IndexedPath } from '../fhir/indexed-path.js';
import type { PartitionId } from '../model/partition.js';
import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';
import type { ReindexBatchParts } from './reindex-batch.js';
import type { CopyRules } from './renew-copies.js';

/** What is reindexed; stands in the job's parameters. */
export interface ReindexTarget {
  /** Null: every partition, also those that come to be meanwhile. */
  readonly partitions: readonly PartitionId[] | null;
  /** Null: every type; empty: copies alone, which are renewed in any case. */
  readonly types: readonly string[] | null;
  /** Nothing is reindexed: these copies go. */
  readonly retired?: RetiredCopies;
}

/** Copies of uplifts that were taken back. */
export interface RetiredCopies {
  readonly paths: readonly PendingPath[];
  /** Before this time nobody knew, in milliseconds since 1970 UTC. */
  readonly at: number;
}

/** Names one indexed path of a resource type. */
export interface PathName {
  readonly resourceType: string;
  readonly kind: IndexedPath['kind'] | 'text';
  readonly path: string;
}

/** A path that older data has no rows of; `since` in milliseconds since 1970 UTC. */
export interface PendingPath extends PathName {
  readonly since: number;
  /** Its rows are copies of these, which have to be there before. */
  readonly copiedFrom?: PathName;
}

/** The paths that wait for a reindex. */
export interface PendingPaths {
  /** Takes over what other servers have changed. */
  refresh(): Promise<unknown>;
  pendingPaths(): readonly PendingPath[];
  /** From when on every write has rows of the path, in milliseconds since 1970 UTC. */
  settledAt(path: Pick<PendingPath, 'since'>): number;
  markIndexed(paths: readonly PendingPath[]): Promise<void>;
}

/** The paths of all partitions, and those among them whose rows nobody needs. */
export interface SharedPaths extends PendingPaths {
  /** Paths of copies that are no longer kept. */
  retiredCopies(): readonly PendingPath[];
}

/** What reindexing works with. */
export interface ReindexParts extends ReindexBatchParts {
  readonly storage: Pick<Storage, 'leaseJob' | 'partitions' | 'useRows'>;
  readonly paths: SharedPaths;
  /** Paths of a partition's own search parameters; undefined where it has none. */
  readonly ownPaths: (partition: PartitionId) => Promise<PendingPaths | undefined>;
  readonly copies: () => CopyRules;
  readonly newId: () => string;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}
