import { setTimeout as pause } from 'node:timers/promises';

/** Longest work in milliseconds between two rests: a request waits for one such turn, hardly ever for two. */
const TURN_MS = 1.5;
/** How much longer it rests than it worked. */
const REST = 2;
const LONGEST_REST_MS = 1_000;

/** Makes background work rest for longer than it works, in turns so short that requests do not feel it. */
export class Pace {
  private began = performance.now();

  /** Rests, if it is time to. */
  async rest(): Promise<void> {
    const worked = performance.now() - this.began;
    if (worked < TURN_MS) return;
    await pause(Math.min(LONGEST_REST_MS, REST * worked));
    this.began = performance.now();
  }
}
