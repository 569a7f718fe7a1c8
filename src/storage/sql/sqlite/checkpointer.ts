import { Worker } from 'node:worker_threads';
import type { CheckpointReport, CheckpointRequest } from './checkpoint-worker.js';

/** One worker that copies the write-ahead logs of all open files into their databases. */
export class Checkpointer {
  private readonly worker: Worker;
  private ended = false;
  private readonly retiring = new Map<string, () => void>();
  private readonly reasons = new Map<string, string>();
  /** How often each file is open: a home that is going away may have a successor already. */
  private readonly open = new Map<string, number>();

  /** `warn` is told of a log that cannot be copied: the server goes on, and the log grows. */
  constructor(private readonly warn: (message: string) => void = () => undefined) {
    this.worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url));
    this.worker.unref();
    this.worker.on('message', (report: CheckpointReport) => this.hear(report));
    this.worker.on('error', ({ message }) => warn(`Write-ahead logs are no longer copied: ${message}`));
    this.worker.on('exit', () => this.end());
  }

  /** Keeps the log of a file short while it is open. */
  watch(file: string): void {
    const times = (this.open.get(file) ?? 0) + 1;
    this.open.set(file, times);
    if (times === 1) this.send({ kind: 'watch', file });
  }

  /** Copies the log of a file that is about to be closed, so that closing it has little left to do. */
  async retire(file: string): Promise<void> {
    const times = (this.open.get(file) ?? 1) - 1;
    if (times > 0) this.open.set(file, times);
    else this.open.delete(file);
    if (this.ended || times > 0) return;
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

  private hear(report: CheckpointReport): void {
    const { kind, file } = report;
    if (kind === 'retired') {
      this.reasons.delete(file);
      this.retiring.get(file)?.();
    } else if (this.reasons.get(file) !== report.reason) {
      // It is tried again twice a second.
      this.reasons.set(file, report.reason);
      this.warn(`The write-ahead log of ${file} cannot be copied: ${report.reason}`);
    }
  }

  private end(): void {
    this.ended = true;
    for (const resolve of this.retiring.values()) resolve();
  }

  private send(request: CheckpointRequest): void {
    this.worker.postMessage(request);
  }
}
