const MINUTE = 60_000;

/** How many refusals of nobody in particular are written down: whoever knocks must not fill the disk. */
export class RefusalLimit {
  private minute = 0;
  private taken = 0;
  private leftOut = 0;

  constructor(
    private readonly perMinute: number,
    private readonly clock: () => number,
  ) {}

  /** How many were left out since the last that was written; undefined: this one is left out too. */
  take(): number | undefined {
    const minute = Math.floor(this.clock() / MINUTE);
    if (minute !== this.minute) {
      this.minute = minute;
      this.taken = 0;
    }
    if (this.taken >= this.perMinute) {
      this.leftOut += 1;
      return undefined;
    }
    this.taken += 1;
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }
}
