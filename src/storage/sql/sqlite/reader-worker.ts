import { statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import { openReader, type SqliteDatabase } from './open.js';
import { toReusableSql } from './reusable-sql.js';

/** One query for a reader worker. */
export interface ReaderRequest {
  readonly id: number;
  readonly file: string;
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

/** Its answer: rows as arrays, or the error's message. */
export type ReaderResponse =
  | { readonly id: number; readonly rows: readonly (readonly unknown[])[] }
  | { readonly id: number; readonly error: string };

/** Files that are kept open for the next statement. */
const MOST_FILES = 4;
const MOST_STATEMENTS = 200;

/** A file with its prepared statements. */
interface OpenFile {
  readonly db: SqliteDatabase;
  readonly inode: number;
  readonly statements: LRUCache<string, Statement>;
}

const files = new LRUCache<string, OpenFile>({ max: MOST_FILES, dispose: ({ db }) => db.close() });

/** A partition that was deleted and made anew has another file of the same name. */
function openFile(file: string): OpenFile {
  const { ino: inode } = statSync(file);
  const known = files.get(file);
  if (known?.inode === inode) return known;
  const statements = new LRUCache<string, Statement>({ max: MOST_STATEMENTS });
  const opened = { db: openReader(file), inode, statements };
  files.set(file, opened);
  return opened;
}

function run(request: ReaderRequest): ReaderResponse {
  try {
    const { db, statements } = openFile(request.file);
    const statement = statements.get(request.sql) ?? db.prepare(toReusableSql(request.sql)).raw();
    statements.set(request.sql, statement);
    return { id: request.id, rows: statement.all(...request.bindings) as unknown[][] };
  } catch (error) {
    return { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (request: ReaderRequest) => parentPort?.postMessage(run(request)));
