import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time in milliseconds that one piece of work holds the event loop before others get a turn. */
const SLICE_MS = 8;

/** Lets long work on the main thread give the event loop a turn whenever a slice of it has run long enough. */
export class TimeSlice {
  private start = performance.now();

  /** `ms`: the longest time, where others come first. */
  constructor(private readonly ms = SLICE_MS) {}

  isOver(): boolean {
    return performance.now() - this.start > this.ms;
  }

  async yield(): Promise<void> {
    await nextTurn();
    this.start = performance.now();
  }
}
