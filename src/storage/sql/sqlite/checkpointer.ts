import { Worker } from 'node:worker_threads';
import type { CheckpointReport, CheckpointRequest } from './checkpoint-worker.js';
import { CHECK_INTERVAL_MS, COPY_BYTES, logBytes } from './log-size.js';

/**
 * One worker that copies the write-ahead logs of all open files into their databases. It starts when there is something
 * to do: a log has become long, or a file is closed while others are in use.
 */
export class Checkpointer {
  private worker: Worker | undefined;
  private ended = false;
  private readonly looking: NodeJS.Timeout;
  private readonly retiring = new Map<string, () => void>();
  private readonly reasons = new Map<string, string>();
  /** How often each file is open: a home that is going away may have a successor already. */
  private readonly open = new Map<string, number>();

  /** `warn` is told of a log that cannot be copied: the server goes on, and the log grows. */
  constructor(private readonly warn: (message: string) => void = () => undefined) {
    this.looking = setInterval(() => this.look(), CHECK_INTERVAL_MS).unref();
  }

  /** Keeps the log of a file short while it is open. */
  watch(file: string): void {
    const times = (this.open.get(file) ?? 0) + 1;
    this.open.set(file, times);
    if (times === 1) this.worker?.postMessage({ kind: 'watch', file } satisfies CheckpointRequest);
  }

  /** Copies the log of a file that is about to be closed, so that closing it has little left to do. */
  async retire(file: string): Promise<void> {
    const times = (this.open.get(file) ?? 1) - 1;
    if (times > 0) this.open.set(file, times);
    else this.open.delete(file);
    if (this.ended || times > 0) return;
    // Closing the last file copies its log, and holds up nobody.
    if (this.worker === undefined && this.open.size === 0) return;
    const worker = this.worker ?? this.start();
    // Nothing else may keep the process alive until the answer comes.
    worker.ref();
    await new Promise<void>((resolve) => {
      this.retiring.set(file, resolve);
      worker.postMessage({ kind: 'retire', file } satisfies CheckpointRequest);
    });
    this.retiring.delete(file);
    if (this.retiring.size === 0) worker.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.looking);
    await this.worker?.terminate();
  }

  private look(): void {
    if ([...this.open.keys()].some((file) => logBytes(file) >= COPY_BYTES)) this.start();
  }

  private start(): Worker {
    clearInterval(this.looking);
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url));
    worker.unref();
    worker.on('message', (report: CheckpointReport) => this.hear(report));
    worker.on('error', ({ message }) => this.warn(`Write-ahead logs are no longer copied: ${message}`));
    worker.on('exit', () => this.end());
    for (const file of this.open.keys())
      worker.postMessage({ kind: 'watch', file } satisfies CheckpointRequest);
    this.worker = worker;
    return worker;
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
}
