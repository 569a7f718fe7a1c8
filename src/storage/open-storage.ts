import { openSqliteStorage } from './sql/sqlite/sqlite-storage.js';
import type { Storage, StorageOptions } from './storage.js';

/** Opens (and if need be makes and migrates) the database that the URL names. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  if (/^postgres(ql)?:/.test(options.url)) {
    throw new Error('This version cannot open PostgreSQL yet; use sqlite:PATH.');
  }
  return openSqliteStorage(options);
}
