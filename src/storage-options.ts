import { uuidMaker } from './interactions/new-id.js';
import { DEFAULT_SEARCH_LIMITS, type SearchLimits } from './search/search-request.js';
import type { Settings } from './settings/schema.js';
import type { StorageOptions } from './storage/storage.js';

/** An export has a snapshot open while it begins, and is begun by another connection. */
export const EXPORT_CONNECTIONS = 2;

/** What a storage is opened with. */
export function toStorageOptions(settings: Settings, clock: () => number): StorageOptions {
  return {
    url: settings.databaseUrl,
    synchronous: settings.sqliteSynchronous,
    poolSize: settings.databasePoolSize,
    exportConnections: Math.max(1, settings.exportWorkers) * EXPORT_CONNECTIONS,
    references: settings.references,
    resourceIds: settings.resourceIds,
    searchTimeoutMs: settings.searchTimeoutMs,
    newBlobId: uuidMaker(clock),
    nativePartitions: settings.nativePartitions,
    maxOpenHomes: settings.maxOpenHomes,
  };
}

/** What a search may cost. */
export function toSearchLimits(settings: Settings): SearchLimits {
  return {
    ...DEFAULT_SEARCH_LIMITS,
    defaultCount: settings.defaultPageSize,
    maxCount: settings.maxPageSize,
    maxParameters: settings.maxSearchParameters,
    maxValues: settings.maxSearchValues,
    maxChain: settings.maxChainDepth,
    maxIncluded: settings.maxIncludes,
  };
}
