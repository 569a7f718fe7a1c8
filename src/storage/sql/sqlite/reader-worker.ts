import { parentPort, workerData } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import { openReader } from './open.js';
import { toReusableSql } from './reusable-sql.js';

/** One query for a reader worker. */
export interface ReaderRequest {
  readonly id: number;
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

/** Its answer: rows as arrays, or the error's message. */
export type ReaderResponse =
  | { readonly id: number; readonly rows: readonly (readonly unknown[])[] }
  | { readonly id: number; readonly error: string };

const { file } = workerData as { file: string };
const db = openReader(file);
const statements = new LRUCache<string, Statement>({ max: 200 });

function run(request: ReaderRequest): ReaderResponse {
  try {
    const statement = statements.get(request.sql) ?? db.prepare(toReusableSql(request.sql)).raw();
    statements.set(request.sql, statement);
    return { id: request.id, rows: statement.all(...request.bindings) as unknown[][] };
  } catch (error) {
    return { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (request: ReaderRequest) => parentPort?.postMessage(run(request)));
