/** Bytes a second that a body must come with in the end: a thirtieth of what a telephone line carried. */
const LEAST_RATE = 240;

/**
 * Watches how long the server waits for the bytes of one body: not longer than `stallTimeoutMs` for the next ones, and
 * once it was waited that long in all, not for fewer than 240 in a second.
 */
export class BodyPace {
  private readonly timer: NodeJS.Timeout;
  private begin = performance.now();
  private isWaiting = true;
  private waited = 0;
  private size = 0;

  constructor(
    private readonly stallTimeoutMs: number,
    private readonly onLate: () => void,
  ) {
    this.timer = setTimeout(() => this.isWaiting && onLate(), stallTimeoutMs);
  }

  /** So many bytes have come; whoever asked for them is busy with them until `wait`. */
  got(bytes: number): void {
    this.isWaiting = false;
    this.waited += performance.now() - this.begin;
    this.size += bytes;
    const isSlow = this.size < (this.waited / 1000) * LEAST_RATE;
    if (this.waited > this.stallTimeoutMs && isSlow) this.onLate();
  }

  /** More is asked for. */
  wait(): void {
    this.isWaiting = true;
    this.begin = performance.now();
    this.timer.refresh();
  }

  /** Nothing more is waited for. */
  end(): void {
    clearTimeout(this.timer);
  }
}
