import { Worker } from 'node:worker_threads';
import { FhirError } from '../../../model/errors.js';
import type { SqlStatement } from '../sql-reader.js';
import type { ReaderRequest, ReaderResponse } from './reader-worker.js';

/** Rows as arrays, in the order of the columns. */
export type Rows = readonly (readonly unknown[])[];

interface Waiting {
  readonly request: ReaderRequest;
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: unknown) => void;
  timer?: NodeJS.Timeout;
}

/** How many reader workers there are, and how long one statement may take. */
export interface ReaderPoolOptions {
  readonly workers: number;
  readonly timeoutMs: number;
}

/** Waiting statements beyond this number are refused: the server sheds load instead of growing. */
const MAX_WAITING = 1_000;

/**
 * Runs statements in worker threads, one statement per worker at a time, on any file. A statement that takes longer
 * than allowed ends with SEARCH_TIMEOUT and its worker is replaced.
 */
export class ReaderPool {
  private readonly queue: Waiting[] = [];
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Waiting>();
  private nextId = 1;

  constructor(private readonly options: ReaderPoolOptions) {}

  /** @throws FhirError BUSY, SEARCH_TIMEOUT */
  async all(file: string, { sql, bindings }: SqlStatement): Promise<Rows> {
    if (this.queue.length >= MAX_WAITING) {
      throw new FhirError('BUSY', 'Too many searches are waiting.', { headers: { 'Retry-After': '1' } });
    }
    return new Promise((resolve, reject) => {
      this.queue.push({ request: { id: this.nextId++, file, sql, bindings }, resolve, reject });
      this.dispatch();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.idle, ...this.busy.keys()].map((worker) => worker.terminate()));
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
    const worker = new Worker(new URL('./reader-worker.js', import.meta.url));
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
