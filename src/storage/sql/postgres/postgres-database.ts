import type { MainDatabase } from '../../placement/home.js';
import type { StorageOptions } from '../../storage.js';
import { PageMemory } from '../page-memory.js';
import { PostgresConnections } from './connections.js';
import { DirectoryChanges } from './directory-changes.js';
import { hasNativePartitions, NativePartitions } from './native-partitions.js';
import { PostgresClients } from './postgres-clients.js';
import { PostgresDictionary } from './postgres-dictionary.js';
import { postgresHome, type SharedParts } from './postgres-home.js';
import { PostgresExportJobs } from './postgres-export-jobs.js';
import { PostgresHomes } from './postgres-homes.js';
import { PostgresPartitions } from './postgres-partitions.js';
import { PostgresPool } from './postgres-pool.js';
import { RowIdBlocks } from './row-id-blocks.js';
import { migratePostgres, schemaState } from './schema-state.js';
import { DatabaseWatcher } from './watcher.js';

/** Longest wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens the main database, and makes or migrates the schema if need be. */
export async function openPostgresDatabase(options: StorageOptions): Promise<MainDatabase> {
  const { url, poolSize } = options;
  const pool = new PostgresPool({ url, poolSize, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  await bringUpToDate(pool, options);
  const isNative = await assertNative(pool, options);
  const connections = new PostgresConnections(pool, null, isNative ? 'each time' : 'once');
  const natives = isNative ? await openNatives(connections, options) : undefined;
  const dictionary = new PostgresDictionary(connections);
  await dictionary.load();
  const registry = new PostgresPartitions(connections, natives);
  const pages = new PageMemory();
  const shared: SharedParts = { dictionary, rowIds: new RowIdBlocks(connections), pages, options };
  const changes = new DirectoryChanges(registry);
  const watcher = new DatabaseWatcher(url, () => changes.note());
  watcher.start();
  const home = postgresHome(
    { connections, partitions: () => registry.allIds(), natives, release: () => pool.close() },
    shared,
  );
  const homes = new PostgresHomes(pool, shared);
  return {
    home,
    registry,
    homes,
    exports: new PostgresExportJobs(connections, () => registry.allIds()),
    clients: new PostgresClients(connections),
    setting: (key, create) => readOrCreateSetting(connections, key, create()),
    settings: (prefix) => findSettings(connections, prefix),
    saveSettings: (values) => saveSettings(connections, values),
    takeNumbers: (count) => takeNumbers(connections, count),
    refresh: () => changes.take(),
    ping: () => watcher.ping(),
    close: async () => {
      await watcher.close();
      await homes.close();
      await home.close();
    },
  };
}

/** @throws Error where the schema is a newer one. */
async function bringUpToDate(pool: PostgresPool, { url, nativePartitions }: StorageOptions): Promise<void> {
  const state = await schemaState(pool);
  if (state === 'newer') {
    throw new Error('The database was migrated by a newer version. Start that version or a later one.');
  }
  if (state !== 'current') await migratePostgres(url, { native: nativePartitions > 0 });
}

/** Whether the database has native partitions. @throws Error where it has none and shall have them */
async function assertNative(pool: PostgresPool, { nativePartitions }: StorageOptions): Promise<boolean> {
  const isNative = await hasNativePartitions(pool);
  if (isNative || nativePartitions === 0) return isNative;
  throw new Error(
    'The database was made without native partitions, which cannot be changed. Set nativePartitions to 0, or export the data and load them into a new database that is made with it.',
  );
}

async function openNatives(
  connections: PostgresConnections,
  { nativePartitions, warn = () => undefined }: StorageOptions,
): Promise<NativePartitions> {
  const natives = new NativePartitions(connections, { most: nativePartitions, warn });
  await natives.sweep();
  await natives.checkNumber();
  return natives;
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

async function findSettings(
  connections: PostgresConnections,
  prefix: string,
): Promise<ReadonlyMap<string, string>> {
  const [found] = await connections.read('none', [
    {
      text: 'select SETTING_KEY, SETTING_VALUE from HFJ_SETTING where starts_with(SETTING_KEY, $1)',
      values: [prefix],
    },
  ]);
  return new Map(found?.rows.map(([key, value]) => [String(key), String(value)] as const));
}

async function saveSettings(
  connections: PostgresConnections,
  values: ReadonlyMap<string, string>,
): Promise<void> {
  await connections.write('none', [
    {
      text: `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) select key, value from json_each_text($1::json)
        on conflict (SETTING_KEY) do update set SETTING_VALUE = excluded.SETTING_VALUE`,
      values: [JSON.stringify(Object.fromEntries(values))],
    },
  ]);
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
