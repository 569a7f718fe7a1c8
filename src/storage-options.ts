import { uuidMaker } from './interactions/new-id.js';
import type { Settings } from './settings/schema.js';
import type { StorageOptions } from './storage/storage.js';

/** What a storage is opened with. */
export function toStorageOptions(settings: Settings, clock: () => number): StorageOptions {
  return {
    url: settings.databaseUrl,
    synchronous: settings.sqliteSynchronous,
    poolSize: settings.databasePoolSize,
    references: settings.references,
    resourceIds: settings.resourceIds,
    searchTimeoutMs: settings.searchTimeoutMs,
    newBlobId: uuidMaker(clock),
    nativePartitions: settings.nativePartitions,
    maxOpenHomes: settings.maxOpenHomes,
  };
}
