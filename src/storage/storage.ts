import type { PartitionId } from '../model/partition.js';
import type { BlobStore } from './blob-store.js';
import type { ClientStore } from './client-store.js';
import type { ExportJobStore, HomeExports } from './export-store.js';
import type { HomeMigration } from './placement/fleet.js';
import type { HomeRows } from './placement/home.js';
import type { PartitionMover } from './placement/partition-mover.js';
import type { UsageStore } from './partition-usage.js';
import type { SearchStore } from './search-store.js';
import type { Synchronous } from './sql/sqlite/open.js';
import type { LabelStore, PartitionRegistry, ReferencePolicy, ResourceStore } from './store.js';

/** What a storage needs of the settings. */
export interface StorageOptions {
  /** `sqlite:PATH`, `sqlite::memory:`, or `postgres://…`. */
  readonly url: string;
  /** SQLite only. */
  readonly synchronous: Synchronous;
  /** PostgreSQL only: connections that may be open at once. */
  readonly poolSize: number;
  /** PostgreSQL only: connections of each home that exports may open besides, two for each that is worked on at once. */
  readonly exportConnections: number;
  readonly references: ReferencePolicy;
  readonly resourceIds: 'partition' | 'server';
  readonly searchTimeoutMs: number;
  readonly newBlobId: () => string;
  /** PostgreSQL only: most shared partitions that get native partitions of their own; 0: none. */
  readonly nativePartitions: number;
  /** Told, in words for an operator, of what works but not as well as it could. */
  readonly warn?: (message: string) => void;
  /** Told, in words for an operator, of what the storage has done by itself. */
  readonly info?: (message: string) => void;
  /** Most homes of single partitions that are kept open. */
  readonly maxOpenHomes: number;
}

/** Everything that is stored. */
export interface Storage {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
  readonly labels: LabelStore;
  readonly blobs: BlobStore;
  readonly partitions: PartitionRegistry;
  readonly mover: PartitionMover;
  /** What partitions hold, as far as it is kept. */
  readonly usage: UsageStore;
  /** Jobs of bulk exports. */
  readonly exports: ExportJobStore;
  /** Clients of the authorization server. */
  readonly clients: ClientStore;
  /** Makes `owner` the one who works on a running job for `ms` milliseconds; false where somebody else does. */
  leaseJob(id: string, owner: string, ms: number): Promise<boolean>;
  /** Rows of a partition, in its home; `work` sees nothing of others. */
  useRows<Result>(partition: PartitionId, work: (rows: HomeRows) => Promise<Result>): Promise<Result>;
  /**
   * Runs `work` on what exports read in the home of a partition: anew in the next one where it moves meanwhile.
   * @throws FhirError UNKNOWN_PARTITION for a partition that has gone, BUSY where a move takes too long
   */
  useExports<Result>(
    partition: PartitionId,
    work: (exports: HomeExports) => Promise<Result>,
  ): Promise<Result>;
  /** Brings the schema of every home up to date; the main database's is. */
  migrateHomes(): AsyncIterable<HomeMigration>;
  /** A value of the server's own, made once and kept: for example the secret of page links. */
  setting(key: string, create: () => string): Promise<string>;
  /** The server's own values whose keys begin with `prefix`, by key. */
  settings(prefix: string): Promise<ReadonlyMap<string, string>>;
  /** Sets values of the server's own, by key: all or none. */
  saveSettings(values: ReadonlyMap<string, string>): Promise<void>;
  /** Takes `count` whole numbers that nobody has had before; answers the first. */
  takeNumbers(count: number): Promise<number>;
  /** Takes over what other processes have changed; cheap when nothing was. Answers whether something was. */
  refresh(): Promise<boolean>;
  /** Whether the database answers. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}
