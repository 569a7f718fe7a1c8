import { Worker } from 'node:worker_threads';
import type { CheckpointRequest } from './checkpoint-worker.js';

/** One worker that copies the write-ahead logs of all open files into their databases. */
export class Checkpointer {
  private readonly worker: Worker;
  private ended = false;
  private readonly retiring = new Map<string, () => void>();

  constructor() {
    this.worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url));
    this.worker.unref();
    this.worker.on('message', ({ file }: CheckpointRequest) => this.retiring.get(file)?.());
    this.worker.on('exit', () => this.end());
  }

  /** Keeps the log of a file short while it is open. */
  watch(file: string): void {
    this.send({ kind: 'watch', file });
  }

  /** Copies the log of a file that is about to be closed, so that closing it has little left to do. */
  async retire(file: string): Promise<void> {
    if (this.ended) return;
    // Nothing else may keep the process alive until the answer comes.
    this.worker.ref();
    await new Promise<void>((resolve) => {
      this.retiring.set(file, resolve);
      this.send({ kind: 'retire', file });
    });
    this.retiring.delete(file);
    if (this.retiring.size === 0) this.worker.unref();
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private end(): void {
    this.ended = true;
    for (const resolve of this.retiring.values()) resolve();
  }

  private send(request: CheckpointRequest): void {
    this.worker.postMessage(request);
  }
}
