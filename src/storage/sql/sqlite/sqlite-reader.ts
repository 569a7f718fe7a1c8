import { Worker } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import { FhirError } from '../../../model/errors.js';
import type { SqlReader, SqlStatement } from '../sql-reader.js';
import { SQL_STATEMENTS } from '../sql-statements.js';
import type { SqliteDatabase } from './open.js';
import type { ReaderRequest, ReaderResponse } from './reader-worker.js';
import { toReusableSql } from './reusable-sql.js';

type Rows = readonly (readonly unknown[])[];

interface Waiting {
  readonly request: ReaderRequest;
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: unknown) => void;
  timer?: NodeJS.Timeout;
}

/** How many reader workers there are, and how long one statement may take. */
export interface SqliteReaderOptions {
  readonly file: string;
  readonly workers: number;
  readonly timeoutMs: number;
}

/** Waiting statements beyond this number are refused: the server sheds load instead of growing. */
const MAX_WAITING = 1_000;

/**
 * Runs cheap statements at once on the main thread's read connection, and the others in worker threads, one
 * statement per worker at a time. A statement that takes longer than allowed ends with SEARCH_TIMEOUT and its
 * worker is replaced.
 */
export class SqliteReader implements SqlReader {
  private readonly statements = new LRUCache<string, Statement>({ max: 500 });
  private readonly queue: Waiting[] = [];
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Waiting>();
  private nextId = 1;
  private readonly db: SqliteDatabase;
  private readonly options: SqliteReaderOptions;

  constructor(db: SqliteDatabase, options: SqliteReaderOptions) {
    this.db = db;
    this.options = options;
  }

  async all(statement: SqlStatement): Promise<Rows> {
    if (statement.cost === 'cheap') return this.runHere(statement);
    if (SQL_STATEMENTS.hasSubscribers) SQL_STATEMENTS.publish(statement.sql);
    if (this.queue.length >= MAX_WAITING) {
      throw new FhirError('BUSY', 'Too many searches are waiting.', { headers: { 'Retry-After': '1' } });
    }
    return new Promise((resolve, reject) => {
      const request = { id: this.nextId++, sql: statement.sql, bindings: statement.bindings };
      this.queue.push({ request, resolve, reject });
      this.dispatch();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.idle, ...this.busy.keys()].map((worker) => worker.terminate()));
  }

  private runHere(statement: SqlStatement): Rows {
    let prepared = this.statements.get(statement.sql);
    if (!prepared) {
      prepared = this.db.prepare(toReusableSql(statement.sql)).raw();
      this.statements.set(statement.sql, prepared);
    }
    return prepared.all(...statement.bindings) as unknown[][];
  }

  private dispatch(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? this.start();
      if (!worker) return;
      const waiting = this.queue.shift()!;
      this.busy.set(worker, waiting);
      worker.ref();
      worker.postMessage(waiting.request);
      this.limit(worker, waiting);
    }
  }

  private start(): Worker | undefined {
    if (this.busy.size >= this.options.workers) return undefined;
    const { file } = this.options;
    const worker = new Worker(new URL('./reader-worker.js', import.meta.url), { workerData: { file } });
    worker.on('message', (response: ReaderResponse) => this.finish(worker, response));
    worker.on('error', (error) => this.drop(worker, error));
    return worker;
  }

  private finish(worker: Worker, response: ReaderResponse): void {
    const waiting = this.busy.get(worker);
    if (!waiting || waiting.request.id !== response.id) return;
    this.busy.delete(worker);
    clearTimeout(waiting.timer);
    worker.unref();
    this.idle.push(worker);
    if ('rows' in response) waiting.resolve(response.rows);
    else waiting.reject(new Error(response.error));
    this.dispatch();
  }

  private limit(worker: Worker, waiting: Waiting): void {
    waiting.timer = setTimeout(() => {
      if (this.busy.get(worker) !== waiting) return;
      const message = `The search took longer than ${this.options.timeoutMs} ms.`;
      this.drop(worker, new FhirError('SEARCH_TIMEOUT', message, { headers: { 'Retry-After': '5' } }));
      void worker.terminate();
    }, this.options.timeoutMs);
  }

  private drop(worker: Worker, error: unknown): void {
    const waiting = this.busy.get(worker);
    this.busy.delete(worker);
    clearTimeout(waiting?.timer);
    waiting?.reject(error);
    this.dispatch();
  }
}
