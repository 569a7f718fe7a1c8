import { openPostgresStorage } from './sql/postgres/postgres-storage.js';
import { openSqliteStorage } from './sql/sqlite/sqlite-storage.js';
import type { Storage, StorageOptions } from './storage.js';

/** Opens (and if need be makes and migrates) the database that the URL names. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  return /^postgres(ql)?:/.test(options.url) ? openPostgresStorage(options) : openSqliteStorage(options);
}
