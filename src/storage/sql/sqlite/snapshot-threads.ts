import { ExportThread } from './export-thread.js';

/** Threads that are kept for the next snapshots: to start one takes longer than to fix the past. */
const MOST_IDLE = 2;

/** Threads for the snapshots of exports, each for one at a time. */
export class SnapshotThreads {
  private readonly idle: ExportThread[] = [];
  private isClosed = false;

  /** `work` begins a transaction on the file, which ends with it. */
  async use<Result>(file: string, work: (thread: ExportThread) => Promise<Result>): Promise<Result> {
    const thread = this.idle.pop() ?? new ExportThread();
    let isUsable = false;
    try {
      const result = await work(thread);
      await thread.run({ kind: 'end', file });
      isUsable = !this.isClosed && this.idle.length < MOST_IDLE;
      return result;
    } finally {
      if (isUsable) this.idle.push(thread);
      else await thread.close();
    }
  }

  /** Those that are at work end with their snapshots. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.idle.splice(0).map((thread) => thread.close()));
  }
}
