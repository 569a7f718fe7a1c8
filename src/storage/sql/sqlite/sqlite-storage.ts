import { Worker } from 'node:worker_threads';
import knex, { type Knex } from 'knex';
import type { Storage, StorageOptions } from '../../storage.js';
import { SqlLabelStore } from '../labels.js';
import { knownMigrations, migrate } from '../migrate.js';
import { SqlSearchStore } from '../search-store.js';
import { locateSqlite, openReader, openWriter, type SqliteDatabase } from './open.js';
import { SqliteBlobs } from './sqlite-blobs.js';
import { SqliteDictionary } from './sqlite-dictionary.js';
import { SqlitePartitions } from './sqlite-partitions.js';
import { SqliteReader } from './sqlite-reader.js';
import { SqliteResources } from './sqlite-resources.js';
import { UnitWriter } from './unit-writer.js';
import { WriteQueue } from './write-queue.js';

const READER_WORKERS = 2;

/** Opens (and if need be makes and migrates) the database. */
export async function openSqliteStorage(options: StorageOptions): Promise<Storage> {
  const location = locateSqlite(options.url);
  const writer = openWriter(location.file, options.synchronous);
  if (!isMigrated(writer)) await migrateFile(location.file);
  const reader = openReader(location.file);
  const dictionary = new SqliteDictionary(writer);
  const queue = new WriteQueue(writer, { writer: new UnitWriter(writer, dictionary, options), dictionary });
  // From now on the queue does the waiting for other processes.
  writer.pragma('busy_timeout = 1');
  const sqlReader = new SqliteReader(reader, {
    file: location.file,
    workers: READER_WORKERS,
    timeoutMs: options.searchTimeoutMs,
  });
  const checkpointer = startCheckpointer(location.file);
  return {
    resources: new SqliteResources(reader, { dictionary, queue, reader: sqlReader }),
    search: new SqlSearchStore(sqlReader, dictionary),
    labels: new SqlLabelStore(sqlReader, dictionary),
    blobs: new SqliteBlobs(reader, queue, options.newBlobId),
    partitions: new SqlitePartitions(reader, queue),
    setting: (key, create) => queue.transaction((db) => readOrCreateSetting(db, key, create)),
    takeNumbers: (count) => queue.transaction((db) => takeNumbers(db, count)),
    refresh: changeDetector(reader, () => dictionary.reload()),
    ping: async () => true,
    close: async () => {
      await queue.close();
      await Promise.all([sqlReader.close(), checkpointer.terminate()]);
      reader.close();
      writer.close();
      location.dispose();
    },
  };
}

/** Applies what is missing of the schema; answers the names of the migrations that were applied. */
export async function migrateFile(file: string): Promise<readonly string[]> {
  const connection = openKnex(file);
  try {
    return await migrate(connection);
  } finally {
    await connection.destroy();
  }
}

function openKnex(file: string): Knex {
  return knex({
    client: 'better-sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
}

/** Whether every migration was applied, without loading the migrator. @throws where the schema is a newer one. */
function isMigrated(db: SqliteDatabase): boolean {
  const table = db.prepare(`select 1 from sqlite_master where name = 'HFJ_MIGRATION'`).get();
  if (table === undefined) return false;
  const applied = db.prepare('select name from HFJ_MIGRATION').pluck().all() as string[];
  const unknown = applied.find((name) => !knownMigrations().includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `The database was migrated by a newer version (${unknown}). Start that version or a later one.`,
    );
  }
  return applied.length === knownMigrations().length;
}

function startCheckpointer(file: string): Worker {
  const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { workerData: { file } });
  worker.unref();
  return worker;
}

function readOrCreateSetting(db: SqliteDatabase, key: string, create: () => string): string {
  const find = db.prepare('select SETTING_VALUE from HFJ_SETTING where SETTING_KEY = ?').pluck();
  const known = find.get(key) as string | undefined;
  if (known !== undefined) return known;
  const value = create();
  db.prepare('insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) values (?, ?)').run(key, value);
  return value;
}

function takeNumbers(db: SqliteDatabase, count: number): number {
  const first = Number(readOrCreateSetting(db, 'next-resource-id', () => '1'));
  const update = db.prepare(
    `update HFJ_SETTING set SETTING_VALUE = ? where SETTING_KEY = 'next-resource-id'`,
  );
  update.run(String(first + count));
  return first;
}

/** `data_version` moves when any other connection commits, our own writer's included. */
function changeDetector(db: SqliteDatabase, reload: () => void): () => Promise<boolean> {
  let seen = db.pragma('data_version', { simple: true });
  return async () => {
    const now = db.pragma('data_version', { simple: true });
    if (now === seen) return false;
    seen = now;
    reload();
    return true;
  };
}
