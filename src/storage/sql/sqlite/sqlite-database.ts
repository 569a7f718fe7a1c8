import type { MainDatabase } from '../../placement/home.js';
import type { StorageOptions } from '../../storage.js';
import { Allocator } from './allocator.js';
import { Checkpointer } from './checkpointer.js';
import { ExportThread } from './export-thread.js';
import { openToEverybody } from './file-access.js';
import { migrateFile, schemaState } from './migrate-file.js';
import { locateSqlite, openReader, openWriter, type SqliteDatabase } from './open.js';
import { ReaderPool } from './reader-pool.js';
import { SnapshotThreads } from './snapshot-threads.js';
import { SqliteClients } from './sqlite-clients.js';
import { SqliteDictionary } from './sqlite-dictionary.js';
import { openQueue, sqliteHome, type SharedParts } from './sqlite-home.js';
import { SqliteExportJobs } from './sqlite-export-jobs.js';
import { SqliteHomes } from './sqlite-homes.js';
import { SqlitePartitions } from './sqlite-partitions.js';
import type { WriteQueue } from './write-queue.js';

const READER_WORKERS = 2;

/** Opens (and if need be makes and migrates) the main database. */
export async function openSqliteDatabase(options: StorageOptions): Promise<MainDatabase> {
  const location = locateSqlite(options.url);
  const writer = openWriter(location.file);
  await bringUpToDate(writer, location.file);
  warnOfAccess(location.file, options.warn);
  const file = { writer, reader: openReader(location.file) };
  const dictionary = new SqliteDictionary(writer);
  const readers = new ReaderPool({ workers: READER_WORKERS, timeoutMs: options.searchTimeoutMs });
  const checkpointer = new Checkpointer(options.warn);
  const exporting = new ExportThread();
  const snapshots = new SnapshotThreads();
  const shared: SharedParts = { dictionary, readers, checkpointer, exporting, snapshots, options };
  // The queue takes names and row ids in its own turn, homes wait for theirs.
  const own = new Allocator(dictionary, (work) => queue.inTurn(work));
  const queue: WriteQueue = openQueue(file, shared, own);
  const forHomes = new Allocator(dictionary, (work) => queue.transaction(work));
  const home = sqliteHome(file, shared, { queue, allocator: forHomes, holds: 'jobs' });
  return {
    home,
    registry: new SqlitePartitions(file.reader, queue),
    homes: new SqliteHomes(location.file, shared, forHomes),
    exports: new SqliteExportJobs(file.reader, queue),
    clients: new SqliteClients(file.reader, queue),
    setting: (key, create) => queue.transaction((db) => readOrCreateSetting(db, key, create)),
    settings: async (prefix) => findSettings(file.reader, prefix),
    saveSettings: (values) => queue.transaction((db) => saveSettings(db, values)),
    takeNumbers: (count) => queue.transaction((db) => takeNumbers(db, count)),
    refresh: changeDetector(file.reader, () => dictionary.reload()),
    ping: async () => true,
    close: async () => {
      await readers.close();
      await exporting.close();
      await snapshots.close();
      await home.close();
      await checkpointer.close();
      location.dispose();
    },
  };
}

/** The mode of a file is its owner's decision, whoever made it: it is said once, and not changed. */
function warnOfAccess(file: string, warn: StorageOptions['warn']): void {
  const open = openToEverybody(file);
  if (open.length === 0) return;
  warn?.(`Every user of this machine can read or write ${open.join(', ')}: take that away with chmod o=.`);
}

/** @throws Error where the schema is a newer one. */
async function bringUpToDate(db: SqliteDatabase, file: string): Promise<void> {
  const state = schemaState(db);
  if (state === 'newer') {
    throw new Error('The database was migrated by a newer version. Start that version or a later one.');
  }
  if (state === 'behind') await migrateFile(file);
}

function readOrCreateSetting(db: SqliteDatabase, key: string, create: () => string): string {
  const find = db.prepare('select SETTING_VALUE from HFJ_SETTING where SETTING_KEY = ?').pluck();
  const known = find.get(key) as string | undefined;
  if (known !== undefined) return known;
  const value = create();
  db.prepare('insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) values (?, ?)').run(key, value);
  return value;
}

function findSettings(db: SqliteDatabase, prefix: string): ReadonlyMap<string, string> {
  const find = db.prepare(
    'select SETTING_KEY, SETTING_VALUE from HFJ_SETTING where substr(SETTING_KEY, 1, ?) = ?',
  );
  return new Map(find.raw().all(prefix.length, prefix) as [string, string][]);
}

function saveSettings(db: SqliteDatabase, values: ReadonlyMap<string, string>): void {
  const save = db.prepare('insert or replace into HFJ_SETTING (SETTING_KEY, SETTING_VALUE) values (?, ?)');
  for (const [key, value] of values) save.run(key, value);
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
