import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateFile } from '../../src/storage/sql/sqlite/migrate-file.js';
import { openReader, openWriter, type SqliteDatabase } from '../../src/storage/sql/sqlite/open.js';

/** A SQLite file that has all migrations and no rows. */
export interface MigratedFile {
  readonly db: SqliteDatabase;
  /** Closes it and takes it away. */
  remove(): void;
}

/** Makes one in a folder, as it is once a server has opened it. Answers its path. */
export async function createMigratedFile(folder: string): Promise<string> {
  const file = join(folder, 'empty.db');
  await migrateFile(file);
  openWriter(file).close();
  return file;
}

/** Makes one, open for reading. */
export async function openMigratedFile(): Promise<MigratedFile> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-migrated-'));
  const db = openReader(await createMigratedFile(folder));
  return {
    db,
    remove() {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}
