import type { ClientRegistry } from '../clients/client-registry.js';
import type { Exports } from '../export/exports.js';
import type { HookRegistry } from '../hooks/registry.js';
import type { FhirError } from '../model/errors.js';
import type { PartitionDirectory } from '../partition/directory.js';
import type { PartitionManagement } from '../partition/management.js';
import type { Reindexing } from '../partition/reindex.js';
import type { PartitionResolver } from '../partition/resolver.js';
import type { PartitionUsages } from '../partition/usages.js';
import type { Settings } from '../settings/schema.js';
import type { LiveSearchParameters } from '../search-parameters/live-search-parameters.js';
import type { PartitionParameters } from '../search-parameters/partition-parameters.js';
import type { PlannedLimits } from '../search/access-limits.js';
import type { Searcher } from '../search/searcher.js';
import type { BlobStore } from '../storage/blob-store.js';
import type { Terminology } from '../terminology/terminology.js';
import type { ServerClock } from './server-clock.js';
import type { LabelStore, PartitionRegistry, ResourceStore } from '../storage/store.js';

/** Everything that interactions and operations work with. One per server. */
export interface ServerParts {
  readonly settings: Settings;
  readonly hooks: HookRegistry;
  readonly resolver: PartitionResolver;
  readonly directory: PartitionDirectory;
  readonly management: PartitionManagement;
  readonly resources: ResourceStore;
  readonly partitions: PartitionRegistry;
  readonly labels: LabelStore;
  readonly blobs: BlobStore;
  readonly searcher: Searcher;
  /** What tokens may see and change. */
  readonly limits: PlannedLimits;
  readonly terminology: Terminology;
  /** Those that hold everywhere; what is in force in a partition, `partitionParameters` tells. */
  readonly parameters: LiveSearchParameters;
  readonly partitionParameters: PartitionParameters;
  readonly reindexing: Reindexing;
  readonly exports: Exports;
  /** What partitions hold. */
  readonly usages: PartitionUsages;
  /** Of the authorization server. */
  readonly clients: ClientRegistry;
  /** Milliseconds since 1970 UTC. */
  readonly clock: ServerClock;
  /** A new server-assigned resource id. */
  readonly newId: () => string | Promise<string>;
  readonly newRequestId: () => string;
  /** Of the package. */
  readonly version: string;
  /** Logs what is not meant for clients and gives the INTERNAL error that is. */
  readonly reportUnexpected: (requestId: string, error: unknown) => FhirError;
}
