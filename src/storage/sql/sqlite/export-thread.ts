import { Worker } from 'node:worker_threads';
import { NUMBERS_AT_ONCE } from '../snapshot-search.js';
import { SQL_STATEMENTS } from '../sql-statements.js';
import { EXPORT_SQL } from './export-sql.js';
import type { Rows } from './reader-pool.js';
import type { ExportRequest, ExportResponse, ExportTask } from './export-worker.js';

type Answer = Exclude<ExportResponse, { readonly error: string }>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread of its own for what exports read, one task after the other; it is there from the first one on. */
export class ExportThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;

  /** The thread. It has the file open when it answers for the first time. */
  run(task: ExportTask): Promise<Answer> {
    this.worker ??= this.start();
    const request: ExportRequest = { id: this.nextId++, task };
    if (SQL_STATEMENTS.hasSubscribers) for (const sql of textsOf(task)) SQL_STATEMENTS.publish(sql);
    this.worker.ref();
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.worker?.postMessage(request);
    });
  }

  rows(file: string, sql: string, bindings: readonly unknown[]): Promise<Rows> {
    return this.read({ kind: 'rows', file, sql, bindings });
  }

  /** Rows as the transaction sees them that was begun. A thread that was lost has taken it along. */
  seenRows(file: string, sql: string, bindings: readonly unknown[]): Promise<Rows> {
    return this.read({ kind: 'seen rows', file, sql, bindings });
  }

  /** Numbers as that transaction sees them, piece by piece: the one column of the statement's rows. */
  async *seenNumbers(
    file: string,
    sql: string,
    bindings: readonly unknown[],
  ): AsyncGenerator<readonly number[]> {
    const name = this.nextId;
    await this.run({ kind: 'open numbers', file, name, sql, bindings });
    const { worker } = this;
    try {
      for (;;) {
        const numbers = await this.nextNumbers(name);
        if (numbers.length > 0) yield numbers;
        if (numbers.length < NUMBERS_AT_ONCE) return;
      }
    } finally {
      // A thread that has ended has nothing open.
      if (this.worker === worker) await this.run({ kind: 'close numbers', name });
    }
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
    this.fail(new Error('The thread of exports was closed.'));
  }

  private async read(task: ExportTask): Promise<Rows> {
    const answer = await this.run(task);
    return 'rows' in answer ? answer.rows : [];
  }

  private async nextNumbers(name: number): Promise<readonly number[]> {
    const answer = await this.run({ kind: 'next numbers', name, count: NUMBERS_AT_ONCE });
    return 'numbers' in answer ? answer.numbers : [];
  }

  private start(): Worker {
    const worker = new Worker(new URL('./export-worker.js', import.meta.url));
    worker.on('message', (response: ExportResponse) => this.finish(response));
    worker.on('error', (error) => {
      if (this.worker === worker) this.worker = undefined;
      this.fail(error);
    });
    return worker;
  }

  private finish(response: ExportResponse): void {
    const waiting = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if (this.waiting.size === 0) this.worker?.unref();
    if ('error' in response) waiting?.reject(new Error(response.error));
    else waiting?.resolve(response);
  }

  private fail(error: unknown): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

function textsOf(task: ExportTask): readonly string[] {
  switch (task.kind) {
    case 'begin':
      return [EXPORT_SQL.look];
    case 'end':
      return [];
    case 'rows':
    case 'seen rows':
    case 'open numbers':
      return [task.sql];
    case 'next numbers':
    case 'close numbers':
      return [];
    case 'walk':
      return [EXPORT_SQL.walk];
    case 'list':
      return [EXPORT_SQL.currentAt, EXPORT_SQL.replacedAt];
  }
}
