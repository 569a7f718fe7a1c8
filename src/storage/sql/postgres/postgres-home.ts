import type { PartitionId } from '../../../model/partition.js';
import type { Home } from '../../placement/home.js';
import type { StorageOptions } from '../../storage.js';
import { SqlLabelStore } from '../labels.js';
import type { PageMemory } from '../page-memory.js';
import { postgresSearchDialect } from '../search-dialect.js';
import { SqlSearchStore } from '../search-store.js';
import type { PostgresConnections } from './connections.js';
import type { NativePartitions } from './native-partitions.js';
import { PostgresBlobs } from './postgres-blobs.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { PostgresExports } from './postgres-exports.js';
import { PostgresReader } from './postgres-reader.js';
import { PostgresResources } from './postgres-resources.js';
import { PostgresRows } from './postgres-rows.js';
import { PostgresUsage } from './postgres-usage.js';
import type { RowIdBlocks } from './row-id-blocks.js';
import { TableStatistics } from './table-statistics.js';
import { PostgresUnitWriter } from './unit-writer.js';
import { PostgresWriteQueue } from './write-queue.js';

/** What all homes of a server share. */
export interface SharedParts {
  readonly dictionary: PostgresDictionary;
  readonly rowIds: RowIdBlocks;
  /** For what exports read. */
  readonly pages: PageMemory;
  readonly options: StorageOptions;
}

/** One database or schema. */
export interface PostgresPlace {
  readonly connections: PostgresConnections;
  /** Every partition whose rows may be there. */
  readonly partitions: () => Promise<readonly PartitionId[]>;
  /** Undefined where the tables have no native partitions. */
  readonly natives?: NativePartitions | undefined;
  /** Lets go of connections that are the home's own. */
  readonly release: () => Promise<void>;
}

/** A database or schema as a home. */
export function postgresHome(
  { connections, partitions, natives, release }: PostgresPlace,
  { dictionary, rowIds, pages, options }: SharedParts,
): Home {
  const { searchTimeoutMs: timeoutMs, newBlobId: newId, info = ignore, warn = ignore } = options;
  const statistics = new TableStatistics(connections, { info, warn });
  const writer = new PostgresUnitWriter({ connections, dictionary, rowIds, partitions }, options);
  // Reads, and the hooks of writes, always find a connection.
  const queue = new PostgresWriteQueue(writer, Math.max(1, Math.floor(connections.pool.size * 0.4)));
  const reader = new PostgresReader(connections, timeoutMs);
  const dialect = postgresSearchDialect();
  const ofExports = connections.sibling(options.exportConnections);
  return {
    resources: new PostgresResources({ connections, dictionary, queue, statistics, timeoutMs }),
    search: new SqlSearchStore(reader, dictionary, dialect),
    labels: new SqlLabelStore(reader, dictionary, dialect),
    blobs: new PostgresBlobs(connections, { newId, partitions }),
    rows: new PostgresRows(connections, {
      dictionary,
      partitions,
      natives,
      statistics,
      usage: new PostgresUsage(connections, ofExports),
    }),
    exports: new PostgresExports(ofExports, dictionary, pages),
    // Every statement goes by the name.
    isInPlace: () => true,
    close: async () => {
      await queue.close();
      await statistics.close();
      await ofExports.pool.close();
      await release();
    },
  };
}

const ignore = (): void => undefined;
