import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateFile } from '../../src/storage/sql/sqlite/migrate-file.js';
import { openReader, type SqliteDatabase } from '../../src/storage/sql/sqlite/open.js';

/** A SQLite file that has all migrations and no rows. */
export interface MigratedFile {
  readonly db: SqliteDatabase;
  /** Closes it and takes it away. */
  remove(): void;
}

/** Makes one, open for reading. */
export async function openMigratedFile(): Promise<MigratedFile> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-migrated-'));
  const file = join(folder, 'empty.db');
  await migrateFile(file);
  const db = openReader(file);
  return {
    db,
    remove() {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}
