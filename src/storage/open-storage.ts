import { openPlacedStorage } from './placement/placed-storage.js';
import { openPostgresDatabase } from './sql/postgres/postgres-database.js';
import { openSqliteDatabase } from './sql/sqlite/sqlite-database.js';
import type { Storage, StorageOptions } from './storage.js';

/** Opens (and if need be makes and migrates) the database that the URL names, and the homes of partitions with it. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const isPostgres = /^postgres(ql)?:/.test(options.url);
  const main = isPostgres ? await openPostgresDatabase(options) : await openSqliteDatabase(options);
  return openPlacedStorage(main, options);
}
