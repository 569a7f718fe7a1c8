import type { IndexValues } from '../fhir/index-values.js';
import type { LiteralReference } from '../fhir/references.js';
import type { Partition, PartitionAssignment, PartitionId, PartitionScope } from '../model/partition.js';
import type { Meta } from '../model/resource.js';
import type { StagedBlob } from './blob-store.js';
import type { LimitsInForce, UsageLimit } from './partition-usage.js';
import type { PartitionUsage } from '../model/quota.js';

/** One stored version of a resource. `text` is the complete JSON as served; null for a deletion. */
export interface StoredVersion {
  /** Database key of the resource, never shown to clients. */
  readonly rowId: number;
  readonly partition: PartitionId;
  /** `YYYY-MM-DD` or null. */
  readonly partitionDate: string | null;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** Milliseconds since 1970 UTC. */
  readonly updated: number;
  readonly deleted: boolean;
  readonly text: string | null;
  /** Of a history: whether what it follows is a deletion. */
  readonly revives?: boolean;
}

/** Where reference targets may live, besides the resource's own partition. */
export type ReferencePolicy = 'same' | 'default' | 'any';

/** The claim of a conditional create or update: at most one live resource per partition, type and condition. */
export interface ConditionClaim {
  /** The canonical condition, for example `identifier=urn:x|1`. */
  readonly condition: string;
  /** Row id of the resource that holds a claim which proved stale; the new resource takes it over. */
  readonly replaces?: number;
}

/** What every write of a new version carries. */
interface NewVersion {
  readonly type: string;
  readonly id: string;
  readonly updated: number;
  readonly text: string;
  readonly index: IndexValues;
  readonly references: readonly LiteralReference[];
}

export interface CreateChange extends NewVersion {
  readonly kind: 'create';
  /** The server's own: it counts in what the partition holds, and is never too much. */
  readonly exempt?: true;
  readonly assignment: PartitionAssignment;
  readonly claim?: ConditionClaim;
  /** Further claims of the same kind: values that no other resource of the partition and type may have. */
  readonly uniques?: readonly ConditionClaim[];
}

/** Replaces `current`, which must still be the current version when the transaction runs. */
export interface UpdateChange extends NewVersion {
  readonly kind: 'update';
  readonly current: StoredVersion;
  /** Index values of `current`, so that only differences are written. Empty when `current` is a deletion. */
  readonly previousIndex: IndexValues | null;
  readonly claim?: ConditionClaim;
  /** As for a create. Claims of earlier versions stay until somebody takes them over. */
  readonly uniques?: readonly ConditionClaim[];
}

export interface DeleteChange {
  readonly kind: 'delete';
  readonly current: StoredVersion;
  readonly updated: number;
  /** Index values of `current`: these rows go. */
  readonly previousIndex: IndexValues;
  /** Whether resources that refer to it forbid the delete. */
  readonly referrers: 'forbid' | 'ignore';
}

export type Change = CreateChange | UpdateChange | DeleteChange;

/** All claims of a change. */
export function claimsOf(change: Change): readonly ConditionClaim[] {
  if (change.kind === 'delete') return NO_CLAIMS;
  const { claim, uniques = NO_CLAIMS } = change;
  return claim ? [claim, ...uniques] : uniques;
}

const NO_CLAIMS: readonly ConditionClaim[] = [];

/** Resources of this type tell of what was: they hold nothing that they refer to, and may come after it has gone. */
export const LOOSE_TYPE = 'AuditEvent';

/** Whether what the change refers to may be deleted already. */
export function isLoose(change: Change): boolean {
  return change.kind === 'create' && change.type === LOOSE_TYPE;
}

/**
 * Values that resources of `type` have a copy of: those of the resources of `targetType` in the same partition that they
 * refer to on `linkPath`. Both stand in the index of values within elements.
 */
export interface CopyRule {
  readonly type: string;
  readonly linkPath: string;
  readonly copyPath: string;
  readonly targetType: string;
  readonly targetPath: string;
}

/** Changes that are committed together or not at all. */
export interface WriteUnit {
  readonly changes: readonly Change[];
  /** Copies that are made, renewed and removed with the changes. */
  readonly copies?: readonly CopyRule[];
  /** Blobs that the changes refer to: staged until now, kept from this commit on. */
  readonly attaches?: readonly StagedBlob[];
  /** How much the partitions may hold; left out: any amount. */
  readonly limits?: readonly UsageLimit[];
  /** Runs after the rows are written and before the commit; a throw rolls the whole unit back. */
  readonly beforeCommit?: () => Promise<void>;
}

/** Why a unit was not written, as values that interactions turn into retries or FHIR errors. */
export type WriteConflict =
  /** The resource is not at the expected version any more, or an id to create exists by now. */
  | { readonly kind: 'version'; readonly change: Change }
  /** `resourceIds: 'server'`: the id is taken in another partition. */
  | { readonly kind: 'id-taken'; readonly change: Change }
  /** Another resource holds the claim. */
  | {
      readonly kind: 'claim';
      readonly change: Change;
      readonly condition: string;
      readonly holder: number;
    }
  | { readonly kind: 'reference'; readonly change: Change; readonly reference: LiteralReference }
  /** The change is dated at or before a time up to which the partition was exported: only later times are taken. */
  | { readonly kind: 'late'; readonly change: Change; readonly horizon: number }
  /** The partition would hold more than it may; `used`: what it holds without the unit. */
  | {
      readonly kind: 'quota';
      readonly change: Change;
      readonly used: PartitionUsage;
      readonly wanted: PartitionUsage;
      readonly limits: LimitsInForce;
      /** As the limits say it. */
      readonly mayBeTold: boolean;
    }
  /** There is a limit to what the partition may hold, and what it holds has not been counted yet. */
  | { readonly kind: 'uncounted'; readonly change: Change }
  /**
   * Resources of the same partition still refer to it; at most ten are named. Referrers elsewhere neither block a
   * delete nor show through it.
   */
  | { readonly kind: 'referenced'; readonly change: Change; readonly referrers: readonly ResourceKey[] };

/** Type, id and partition: what names one resource. */
export interface ResourceKey {
  readonly partition: PartitionId;
  readonly type: string;
  readonly id: string;
}

/** Thrown by `write`: nothing of the unit was stored. */
export class WriteConflictError extends Error {
  override readonly name = 'WriteConflictError';
  readonly conflict: WriteConflict;

  constructor(conflict: WriteConflict) {
    super(`write conflict: ${conflict.kind}`);
    this.conflict = conflict;
  }
}

/** Which history is asked for, newest first. */
export interface HistoryQuery {
  readonly type?: string;
  readonly id?: string;
  /** Versions written at or after this time (ms). */
  readonly since?: number;
  /** Versions that were current at some time at or before this time (ms). */
  readonly at?: { readonly low: number; readonly high: number };
  readonly count: number;
  /** Continue below this key (exclusive). */
  readonly after?: HistoryKey;
}

/** Total order of history: newest first. */
export interface HistoryKey {
  readonly updated: number;
  readonly rowId: number;
  readonly version: number;
}

/** Everything that is stored of resources. Every call takes a scope, or changes that carry an assignment. */
export interface ResourceStore {
  /** Every holder of the id in the scope, deletions included: none, one, or several where the scope has several. */
  read(scope: PartitionScope, type: string, id: string): Promise<readonly StoredVersion[]>;
  readVersion(
    scope: PartitionScope,
    type: string,
    id: string,
    version: number,
  ): Promise<readonly StoredVersion[]>;
  history(scope: PartitionScope, query: HistoryQuery): Promise<readonly StoredVersion[]>;
  /** How many versions a history has in all, without `after` and `count`. */
  countHistory(scope: PartitionScope, query: HistoryQuery): Promise<number>;
  /** Commits the unit durably, or throws WriteConflictError and stores nothing. */
  write(unit: WriteUnit): Promise<void>;
}

/** The registered partitions, without DEFAULT. */
export interface PartitionStore {
  list(): Promise<readonly Partition[]>;
}

/** A background job as it is stored: its scope stands in the row, and no hook is asked again. */
export interface StoredJob {
  readonly id: string;
  readonly kind: string;
  readonly partition: PartitionId;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
}

/** Rows left in a partition, by what they hold. */
export interface PartitionContents {
  readonly resources: number;
  readonly versions: number;
  readonly indexRows: number;
}

/** The life of partitions, and the jobs that empty them. */
export interface PartitionRegistry extends PartitionStore {
  /** Ids of all registered partitions, those that are being purged included. */
  takenIds(): Promise<ReadonlySet<PartitionId>>;
  /** `check` runs inside the transaction; a throw undoes the change. @throws FhirError PARTITION_EXISTS */
  create(partition: Partition, check: () => Promise<void>): Promise<void>;
  /** Registers the partition unless its id is registered already. */
  adopt(partition: Partition): Promise<void>;
  update(partition: Partition): Promise<void>;
  delete(partition: Partition, check: () => Promise<void>): Promise<void>;
  contents(partition: PartitionId): Promise<PartitionContents>;
  /** Takes the partition out of service and starts its purge: one transaction. */
  startPurge(partition: Partition, job: StoredJob): Promise<void>;
  /** Deletes at most `limit` rows of the partition; answers how many went, or 1 where work is left. Zero: nothing is. */
  purgeSome(partition: PartitionId, limit: number): Promise<number>;
  saveJob(job: StoredJob): Promise<void>;
  /** Saves state and result of a job unless it has ended; false where it has, for example as it was cancelled. */
  saveRunningJob(job: StoredJob): Promise<boolean>;
  jobs(): Promise<readonly StoredJob[]>;
}

/** The labels that resources of a scope carry. */
export interface LabelStore {
  /** Profiles, security labels and tags in use; `types` undefined: of all types. */
  inUse(scope: PartitionScope, types: readonly string[] | undefined): Promise<Meta>;
}
