import knex, { type Knex } from 'knex';
import type { Storage, StorageOptions } from '../../storage.js';
import { SqlLabelStore } from '../labels.js';
import { assertNotNewer, knownMigrations, migrate } from '../migrate.js';
import { postgresSearchDialect } from '../search-dialect.js';
import { SqlSearchStore } from '../search-store.js';
import { PostgresConnections, PostgresPool } from './connections.js';
import { PostgresBlobs } from './postgres-blobs.js';
import { PostgresDictionary } from './postgres-dictionary.js';
import { PostgresPartitions } from './postgres-partitions.js';
import { PostgresReader } from './postgres-reader.js';
import { PostgresResources } from './postgres-resources.js';
import { RowIdBlocks } from './row-id-blocks.js';
import { PostgresUnitWriter } from './unit-writer.js';
import { DatabaseWatcher } from './watcher.js';
import { PostgresWriteQueue } from './write-queue.js';

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens the database, and makes or migrates the schema if need be. */
export async function openPostgresStorage(options: StorageOptions): Promise<Storage> {
  const { url, poolSize } = options;
  const pool = new PostgresPool({ url, poolSize, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  if (!(await isMigrated(pool))) await migratePostgres(url);
  return storageOn(pool, options);
}

async function storageOn(pool: PostgresPool, options: StorageOptions): Promise<Storage> {
  const { url, searchTimeoutMs: timeoutMs, newBlobId: newId } = options;
  const connections = new PostgresConnections(pool);
  const dictionary = new PostgresDictionary(connections);
  await dictionary.load();
  const registry = new PostgresPartitions(connections);
  const partitions = (): ReturnType<typeof registry.allIds> => registry.allIds();
  const rowIds = new RowIdBlocks(connections);
  const writer = new PostgresUnitWriter({ connections, dictionary, rowIds, partitions }, options);
  const queue = new PostgresWriteQueue(writer);
  const reader = new PostgresReader(connections, timeoutMs);
  const dialect = postgresSearchDialect();
  const changes = new DirectoryChanges(registry);
  const watcher = new DatabaseWatcher(url, () => changes.note());
  watcher.start();
  return {
    resources: new PostgresResources({ connections, dictionary, queue, timeoutMs }),
    search: new SqlSearchStore(reader, dictionary, dialect),
    labels: new SqlLabelStore(reader, dictionary, dialect),
    blobs: new PostgresBlobs(connections, { newId, partitions }),
    partitions: registry,
    setting: (key, create) => readOrCreateSetting(connections, key, create()),
    takeNumbers: (count) => takeNumbers(connections, count),
    refresh: () => changes.take(),
    ping: () => watcher.ping(),
    close: async () => {
      await queue.close();
      await watcher.close();
      await pool.close();
    },
  };
}

/** Applies what is missing of the schema; answers the names of the migrations that were applied. */
export async function migratePostgres(url: string): Promise<readonly string[]> {
  const connection = openKnex(url);
  try {
    return await migrate(connection);
  } finally {
    await connection.destroy();
  }
}

function openKnex(url: string): Knex {
  return knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
}

/** Whether every migration was applied, without loading the migrator. @throws where the schema is a newer one. */
async function isMigrated(pool: PostgresPool): Promise<boolean> {
  const client = await pool.take();
  try {
    const { rows } = await client.query<{ found: string | null }>(
      `select to_regclass('hfj_migration')::text as found`,
    );
    if (rows[0]?.found === null) return false;
    const applied = await client.query<{ name: string }>('select name from hfj_migration');
    const names = applied.rows.map(({ name }) => name);
    assertNotNewer(names);
    return names.length === knownMigrations().length;
  } finally {
    client.release();
  }
}

async function readOrCreateSetting(
  connections: PostgresConnections,
  key: string,
  created: string,
): Promise<string> {
  const [, found] = await connections.write('none', [
    {
      text: `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) values ($1, $2) on conflict do nothing`,
      values: [key, created],
    },
    { text: 'select SETTING_VALUE from HFJ_SETTING where SETTING_KEY = $1', values: [key] },
  ]);
  return String(found?.rows[0]?.[0]);
}

async function takeNumbers(connections: PostgresConnections, count: number): Promise<number> {
  const [result] = await connections.write('none', [
    {
      text: `insert into HFJ_SETTING as s (SETTING_KEY, SETTING_VALUE)
        values ('next-resource-id', (1 + $1::bigint)::text)
        on conflict (SETTING_KEY) do update set SETTING_VALUE = (s.SETTING_VALUE::bigint + $1::bigint)::text
        returning SETTING_VALUE::bigint - $1::bigint`,
      values: [count],
    },
  ]);
  return result?.rows[0]?.[0] as number;
}

/** Whether other servers have changed the directory: told by notification, and by its number where that fails. */
class DirectoryChanges {
  private noted = false;
  private seen: string | undefined;

  constructor(private readonly partitions: PostgresPartitions) {}

  note(): void {
    this.noted = true;
  }

  async take(): Promise<boolean> {
    const version = await this.partitions.version();
    const changed = this.noted || version !== this.seen;
    this.noted = false;
    this.seen = version;
    return changed;
  }
}
