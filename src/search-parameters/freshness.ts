/**
 * Longest time, in milliseconds, that a server writes by parameters that it has not compared with the database: one
 * that could not compare them for longer does so before it writes.
 */
const FRESH_MS = 5_000;

/** Compares what is in memory with the database: one look after another, and knows when the last one began. */
export class Freshness<Result> {
  private checkedAt = -Infinity;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly look: () => Promise<Result>) {}

  /** Takes over what has changed in the database. */
  refresh(): Promise<Result> {
    const next = this.turn.then(() => this.lookNow());
    this.turn = next.catch(() => undefined);
    return next;
  }

  /**
   * Takes over what this server has just written. It is committed, whatever becomes of looking at it: where that
   * fails, the next write looks again, and so does the next look of every second.
   */
  async noticeWrite(): Promise<void> {
    try {
      await this.refresh();
    } catch {
      this.checkedAt = -Infinity;
    }
  }

  /** Compares where that was not done for long; undefined where it was. */
  fresh(): Promise<Result> | undefined {
    return performance.now() - this.checkedAt < FRESH_MS ? undefined : this.refresh();
  }

  private async lookNow(): Promise<Result> {
    const began = performance.now();
    const result = await this.look();
    this.checkedAt = began;
    return result;
  }
}
