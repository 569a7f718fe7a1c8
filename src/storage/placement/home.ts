import type { IndexValues } from '../../fhir/index-values.js';
import type { LiteralReference } from '../../fhir/references.js';
import type { PartitionId, Placement } from '../../model/partition.js';
import type { BlobStore } from '../blob-store.js';
import type { ClientStore } from '../client-store.js';
import type { ExportJobStore, HomeExports } from '../export-store.js';
import type { PartitionUsage } from '../../model/quota.js';
import type { UsageStore } from '../partition-usage.js';
import type { SearchStore } from '../search-store.js';
import type { CopyRule, LabelStore, PartitionContents, PartitionRegistry, ResourceStore } from '../store.js';

/**
 * One physical place that holds partitioned tables: the main database, which has all shared partitions, or a schema,
 * database or file of one partition. Every home is made by the same migrations, takes ids of names from the main
 * database's dictionaries and row ids from its blocks, and refuses writes to partitions that are not `active` in its
 * own HFJ_PARTITION (UNKNOWN_PARTITION, from inside the transaction).
 */
export interface Home {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
  readonly labels: LabelStore;
  readonly blobs: BlobStore;
  readonly rows: HomeRows;
  readonly exports: HomeExports;
  /** Whether this is still what the directory means: another process may have put a new one in its place. */
  isInPlace(): boolean;
  /** Waits for what was accepted, then lets go of files and connections. */
  close(): Promise<void>;
}

/** What a home says of a partition in its own HFJ_PARTITION: only `active` ones are written to. */
export type ServiceState = 'active' | 'paused';

/** A column of a row, as the database driver has it; only ever handed to a home of the same kind. */
export type RawValue = string | number | bigint | Buffer | null;
export type RawRow = readonly RawValue[];

/** Names one resource in a home, in the order in which a home is walked through. */
export interface ResourceMark {
  readonly typeId: number;
  readonly type: string;
  readonly id: string;
  readonly rowId: number;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly updated: number;
}

/** How many resources of a type were counted, the last of which has the id `id`. */
export interface TypeCount extends Pick<ResourceMark, 'typeId' | 'type' | 'id'> {
  readonly count: number;
}

/** A resource's current version with everything that hangs on it but index rows, which follow from its text. */
export interface ResourceRows {
  readonly rowId: number;
  readonly type: string;
  /** Null for a deletion. */
  readonly text: string | null;
  /** Of HFJ_RESOURCE, in the order of `MOVED_COLUMNS`. */
  readonly resource: RawRow;
  readonly links: readonly RawRow[];
  readonly claims: readonly RawRow[];
}

/** A resource that comes into a home, or replaces what the home holds of it. */
export interface Arrival extends ResourceRows {
  readonly index: IndexValues | null;
  /** Index values of what the home holds of it so far; null: nothing, or a deletion. */
  readonly previousIndex: IndexValues | null;
}

/** The current version of a resource, for its index rows to be made anew. */
export interface IndexSource {
  readonly rowId: number;
  readonly id: string;
  readonly version: number;
  /** PARTITION_DATE as the home has it. */
  readonly date: RawValue;
  /** Null for a deletion. */
  readonly text: string | null;
}

/** A resource that is to have all rows of its index values, as long as `version` is its current one. */
export interface Reindexed extends Pick<IndexSource, 'rowId' | 'version' | 'date'> {
  readonly type: string;
  readonly index: IndexValues;
  readonly references: readonly LiteralReference[];
  /** Of versions that may have been replaced by a server that did not know all paths: rows of them alone go. */
  readonly outdated: readonly IndexValues[];
}

/** A time, in milliseconds since 1970, and the first version that is looked at. */
export interface VersionWindow {
  readonly since: number;
  readonly until: number;
  readonly after: { readonly rowId: number; readonly version: number };
  readonly count: number;
}

/** A version that was replaced. */
export interface ReplacedVersion {
  readonly rowId: number;
  readonly version: number;
  readonly text: string;
}

/** What came of adding index rows. */
export interface AddedRows {
  /** Rows that were missing. */
  readonly added: number;
  /** Row ids of resources that have another version by now; nothing was added to them. */
  readonly stale: readonly number[];
}

/** Names one piece of a blob. */
export interface ChunkKey {
  readonly blob: string;
  readonly number: number;
}

/** Rows of one partition that a move must find equal at both ends. */
export interface MovedCounts {
  readonly resources: number;
  readonly versions: number;
  readonly links: number;
  readonly claims: number;
  readonly chunks: number;
}

/** A resource of the type whose values are others than the copies that referrers have of them; `rowId` 0: any of them. */
export interface StaleTarget {
  readonly type: string;
  readonly rowId: number;
  /** Tells one time from another at which it became so. */
  readonly mark: number;
}

/** Where copies are, see CopyRule. */
export interface CopyPath {
  readonly resourceType: string;
  readonly path: string;
}

/** Copies of values, see CopyRule: of one partition, and where they wait to be renewed. */
export interface HomeCopies {
  /**
   * Gives resources the copies that they should have, and no others. One transaction, in which writers of the
   * partition wait. @throws FhirError UNKNOWN_PARTITION where the home does not serve the partition
   */
  renew(partition: PartitionId, rowIds: readonly number[], rules: readonly CopyRule[]): Promise<void>;
  /** At most `limit` of those that wait. */
  stale(partition: PartitionId, types: readonly string[], limit: number): Promise<readonly StaleTarget[]>;
  /** Makes them wait. */
  doubt(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void>;
  /** All copies of their values were renewed since. */
  settle(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void>;
  /** Deletes at most `limit` of the copies on paths of which nobody keeps copies any more; answers how many went. */
  drop(partition: PartitionId, paths: readonly CopyPath[], limit: number): Promise<number>;
}

/** What is kept of what partitions hold, see UsageStore. */
export interface HomeUsage extends UsageStore {
  /** Takes over what was kept in the home that a partition comes from; undefined: nothing was. */
  bring(partition: PartitionId, usage: PartitionUsage | undefined): Promise<void>;
}

/** Rows of one partition, for moving, counting and deleting them in bounded batches. */
export interface HomeRows {
  readonly copies: HomeCopies;
  readonly usage: HomeUsage;
  contents(partition: PartitionId): Promise<PartitionContents>;
  /** Deletes at most `limit` rows of the partition; answers how many went, or 1 where work is left. Zero: nothing is. */
  purgeSome(partition: PartitionId, limit: number): Promise<number>;
  /** As `purgeSome`, but leaves claims of ids, which are the whole server's. */
  drainSome(partition: PartitionId, limit: number): Promise<number>;
  /**
   * Deletes every row whose PARTITION_DATE is before `date` (YYYY-MM-DD), at most `limit` in each transaction; tells
   * what each transaction deleted.
   */
  retain(partition: PartitionId, date: string, limit: number): AsyncIterable<RetainedRows>;
  /** How many links lead to no resource of this home. */
  danglingLinks(partition: PartitionId): Promise<number>;
  /** Registers the partition in the home and sets its state; every write under way has ended when it resolves. */
  setState(partition: PartitionId, state: ServiceState): Promise<void>;
  /** Undefined where the home does not know the partition. */
  state(partition: PartitionId): Promise<ServiceState | undefined>;
  /** Resources by type and id, after `after`. */
  marks(partition: PartitionId, after: ResourceMark | null, limit: number): Promise<readonly ResourceMark[]>;
  /** Counts the resources, `limit` at most, that come after `after` in the order of `marks`. */
  countAfter(
    partition: PartitionId,
    after: Pick<ResourceMark, 'typeId' | 'id'> | null,
    limit: number,
  ): Promise<readonly TypeCount[]>;
  /** RES_TYPE_IDs of every type that was ever written. */
  typeIds(): Promise<readonly number[]>;
  /** Names of every type that was ever written. */
  types(): Promise<readonly string[]>;
  /** Resources of one type that changed at `since` (ms) or later, oldest first, after `after`. */
  changed(
    partition: PartitionId,
    since: { readonly typeId: number; readonly updated: number },
    after: ResourceMark | null,
    limit: number,
  ): Promise<readonly ResourceMark[]>;
  /** Versions that the home holds, by row id. */
  versions(partition: PartitionId, rowIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
  resources(partition: PartitionId, rowIds: readonly number[]): Promise<readonly ResourceRows[]>;
  /** Superseded versions above `version`, oldest first, of HFJ_RES_VER in the order of `MOVED_COLUMNS`. */
  superseded(
    partition: PartitionId,
    after: { readonly rowId: number; readonly version: number },
    limit: number,
  ): Promise<readonly RawRow[]>;
  /** Greatest superseded version that the home holds, by row id. */
  supersededVersions(partition: PartitionId, rowIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
  addSuperseded(rows: readonly RawRow[]): Promise<void>;
  /** Writes current versions with all their rows: one transaction. */
  arrive(partition: PartitionId, arrivals: readonly Arrival[]): Promise<void>;
  /**
   * Current versions of one type in the order of their ids, after the id `after`: as many as the limits allow, and one
   * at least where there is one.
   */
  ofType(
    partition: PartitionId,
    from: { readonly type: string; readonly after: string },
    limit: { readonly resources: number; readonly bytes: number },
  ): Promise<readonly IndexSource[]>;
  /** Superseded versions, but deletions, that were written in the window: by row id and version, after `after`. */
  replacedWithin(
    partition: PartitionId,
    rowIds: readonly number[],
    window: VersionWindow,
  ): Promise<readonly ReplacedVersion[]>;
  /**
   * Adds the index rows that resources should have and have not, with all that writers rely on: whoever writes a
   * resource afterwards finds its rows complete. One transaction, in which writers of the partition wait.
   * @throws FhirError UNKNOWN_PARTITION where the home does not serve the partition
   */
  addIndexRows(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows>;
  chunkKeys(partition: PartitionId, after: ChunkKey | null, limit: number): Promise<readonly ChunkKey[]>;
  chunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<readonly RawRow[]>;
  addChunks(rows: readonly RawRow[]): Promise<void>;
  removeChunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<void>;
  stages(partition: PartitionId): Promise<readonly RawRow[]>;
  /** Makes these the partition's staged blobs. */
  setStages(partition: PartitionId, rows: readonly RawRow[]): Promise<void>;
  movedCounts(partition: PartitionId): Promise<MovedCounts>;
  /** Up to which time (ms) the partition is fixed: no version is written any more that is dated so; 0: nothing is. */
  horizon(partition: PartitionId): Promise<number>;
  /** Fixes it up to a time at least, before which nobody writes: what is created later has greater row ids too. */
  raiseHorizon(partition: PartitionId, at: number): Promise<void>;
}

/** What one batch of a retention deleted. */
export interface RetainedRows {
  readonly resources: number;
  readonly versions: number;
  readonly indexRows: number;
}

/** Columns of what is moved as it is. */
export const MOVED_COLUMNS = {
  HFJ_RESOURCE:
    'RES_ID, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT',
  HFJ_RES_VER:
    'RES_ID, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT',
  HFJ_RES_LINK: 'RES_ID, PARTITION_ID, PARTITION_DATE, PARAM_ID, TARGET_RES_ID, TARGET_TYPE_ID, TARGET_URL',
  HFJ_RES_SEARCH_URL: 'RES_ID, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, RES_SEARCH_URL',
  HFJ_BINARY_CHUNK: 'PARTITION_ID, PARTITION_DATE, BLOB_ID, CHUNK_NO, CHUNK_DATA',
  HFJ_BINARY_STAGE: 'PARTITION_ID, PARTITION_DATE, BLOB_ID, STAGED_AT',
} as const;

/** A home that is made and migrated, but not yet in its place. */
export interface NewHome {
  /** Puts it in place; called inside the transaction that registers the partition. */
  publish(): Promise<void>;
  /** Removes it, published or not. */
  discard(): Promise<void>;
}

/** Makes, opens and removes the homes of single partitions. */
export interface HomeProvider {
  /** Why the placement cannot be had, in words for whoever asked for it; undefined where it can. */
  refusal(placement: Placement): string | undefined;
  /** An empty home with all migrations, in which the partition is `state`. */
  make(partition: PartitionId, placement: Placement, state: ServiceState): Promise<NewHome>;
  /** Whether the home is there. */
  exists(partition: PartitionId, placement: Placement): Promise<boolean>;
  /** @throws FhirError HOME_OUTDATED where its schema is not this version's, UNKNOWN_PARTITION where it is not there */
  open(partition: PartitionId, placement: Placement): Promise<Home>;
  remove(partition: PartitionId, placement: Placement): Promise<void>;
  /** Removes what processes that were killed have left of homes they made or removed. */
  sweep(): Promise<void>;
  /** Applies what is missing of the schema; answers the names of the migrations that were applied. */
  migrate(partition: PartitionId, placement: Placement): Promise<readonly string[]>;
}

/** Where a partition is and whether it is in service. */
export interface PartitionPlace {
  readonly id: PartitionId;
  readonly name: string;
  readonly placement: Placement;
  /**
   * `active`: in service with its rows in the main database. `placed`: in service with its rows where `placement`
   * says. `moving`: in service, writers wait for the switch to another placement.
   */
  readonly state: 'active' | 'placed' | 'moving' | 'purging';
  /** Last migration of its own home. */
  readonly migration: string | null;
}

/** The directory of partitions, in the main database. Contents and purges are those of shared partitions. */
export interface MainRegistry extends PartitionRegistry {
  /** Every partition that is in service or being purged. */
  places(): Promise<readonly PartitionPlace[]>;
  /** Changes where a partition is; every write to it in the main database that was under way has ended. */
  place(
    partition: PartitionId,
    place: Pick<PartitionPlace, 'placement' | 'state' | 'migration'>,
  ): Promise<void>;
  /** Gets the main database ready for the rows of a partition that is to become shared. */
  makeRoom(partition: PartitionId): Promise<void>;
  /** Runs `work` while nobody changes the directory. `place`: undefined where the partition has none any more. */
  exclusively(
    partition: PartitionId,
    work: (place: PartitionPlace | undefined) => Promise<void>,
  ): Promise<void>;
  /**
   * Makes `owner` the one who works on a running job for the next `ms` milliseconds, again and again while it does;
   * false where somebody else does.
   */
  leaseJob(id: string, owner: string, ms: number): Promise<boolean>;
  /** Takes ids for a partition on the whole server; answers those that another partition has. */
  claimIds(partition: PartitionId, claims: readonly IdClaim[]): Promise<readonly IdClaim[]>;
}

/** An id that is to be one partition's alone. */
export interface IdClaim {
  readonly type: string;
  readonly id: string;
  /** `YYYY-MM-DD` or null. */
  readonly date: string | null;
}

/** The database that the settings name. */
export interface MainDatabase {
  readonly home: Home;
  readonly registry: MainRegistry;
  readonly homes: HomeProvider;
  readonly exports: ExportJobStore;
  readonly clients: ClientStore;
  setting(key: string, create: () => string): Promise<string>;
  settings(prefix: string): Promise<ReadonlyMap<string, string>>;
  saveSettings(values: ReadonlyMap<string, string>): Promise<void>;
  takeNumbers(count: number): Promise<number>;
  refresh(): Promise<boolean>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}
