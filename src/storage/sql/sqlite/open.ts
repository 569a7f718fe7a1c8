import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { SQL_STATEMENTS } from '../sql-statements.js';

export type SqliteDatabase = Database.Database;

/** Where the database lives, and what to do with the file when the server stops. */
export interface SqliteLocation {
  readonly file: string;
  /** Removes what must not outlive the server; does nothing for a named file. */
  readonly dispose: () => void;
}

/** Whether a write is acknowledged once it survives a power cut (`full`), or before. */
export type Synchronous = 'full' | 'normal';

/**
 * The file behind `sqlite:PATH` or `sqlite::memory:`. The second is a private temporary file, removed at
 * stop: several connections must see it (readers beside the writer), which a true memory database can't offer.
 */
export function locateSqlite(url: string): SqliteLocation {
  const path = url.replace(/^sqlite:(\/\/)?/, '');
  if (path === ':memory:') {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-'));
    return {
      file: join(folder, 'memory.db'),
      dispose: () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true });
  return { file, dispose: () => undefined };
}

/**
 * Makes the file where there is none yet, for the user of the server alone: SQLite would let everybody on the machine read
 * resources and signing keys. What it puts beside the file gets the same mode.
 */
export function makePrivateFile(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

/**
 * How much memory a connection may keep pages in: there is one main database, and there may be many homes. A `walk`
 * reads everything once: what it has read would only stay in the way of others.
 */
export type CacheSize = 'main' | 'home' | 'walk';

const CACHE_KIB: Readonly<Record<CacheSize, number>> = { main: 65_536, home: 2_048, walk: 2_048 };
const MAPPED_BYTES: Readonly<Record<CacheSize, number>> = { main: 2 ** 30, home: 2 ** 30, walk: 0 };

/** Settings every connection needs (performance.md measured page size, cache and mmap). */
function tune(db: SqliteDatabase, cache: CacheSize): SqliteDatabase {
  db.pragma('busy_timeout = 10000');
  db.pragma(`cache_size = -${CACHE_KIB[cache]}`);
  db.pragma(`mmap_size = ${MAPPED_BYTES[cache]}`);
  db.pragma('temp_store = memory');
  db.pragma('foreign_keys = off');
  return db;
}

/**
 * The one connection that writes. It neither checkpoints, as copying a large WAL would block the event loop (see
 * checkpoint-worker.ts), nor waits for the disk (see LogSync).
 */
export function openWriter(file: string, cache: CacheSize = 'main'): SqliteDatabase {
  if (cache !== 'home') makePrivateFile(file);
  const db = new Database(file, { fileMustExist: true, ...observed() });
  db.pragma('page_size = 4096');
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = normal');
  db.pragma('wal_autocheckpoint = 0');
  return tune(db, cache);
}

/** A connection that can only read. */
export function openReader(file: string, cache: CacheSize = 'main'): SqliteDatabase {
  return tune(new Database(file, { readonly: true, ...observed() }), cache);
}

/** Costs nothing unless somebody listens. */
function observed(): Database.Options {
  return SQL_STATEMENTS.hasSubscribers ? { verbose: (text) => SQL_STATEMENTS.publish(text) } : {};
}
