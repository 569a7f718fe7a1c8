import { setTimeout as pause } from 'node:timers/promises';
import type { HomeExports } from '../storage/export-store.js';

/** How many requests were served so far. */
export type RequestCount = () => number;

/** Requests a second beside which exports give way. */
const BUSY_RATE = 5;
/** How often is looked at, in milliseconds. */
const LOOK_MS = 100;
/** Of a page beside requests. */
const SMALL_PAGE_BYTES = 512 * 1024;
/** Of the time that the page took. */
const PAUSE_TIMES = 2;
const LONGEST_PAUSE_MS = 100;

/**
 * While requests are served, exports read small pages, one at a time, and none for twice as long as each of them took:
 * whoever asks for one row waits for processor and memory behind those who copy millions, as PostgreSQL knows no
 * priorities, and those of threads are not enough.
 */
export function givingWay(homes: HomeExports, served: RequestCount): HomeExports {
  const turns = new Turns(served);
  return {
    ...homes,
    walk: (partition, walk, detail) =>
      turns.read(walk.bytes, (bytes) => homes.walk(partition, { ...walk, bytes }, detail)),
    versionsAt: (partition, list) =>
      turns.read(list.bytes, (bytes) => homes.versionsAt(partition, { ...list, bytes })),
  };
}

/** Who may read a page, and of how many bytes. */
class Turns {
  private last: Promise<void> = Promise.resolve();
  private lookedAt = performance.now();
  private seen: number;
  private isBusy = false;

  constructor(private readonly served: RequestCount) {
    this.seen = served();
  }

  async read<Page>(wanted: number, read: (bytes: number) => Promise<Page>): Promise<Page> {
    this.look();
    if (!this.isBusy) return read(wanted);
    const before = this.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.last = promise;
    await before;
    const begun = performance.now();
    try {
      return await read(Math.min(wanted, SMALL_PAGE_BYTES));
    } finally {
      void pause(Math.min(LONGEST_PAUSE_MS, PAUSE_TIMES * (performance.now() - begun))).then(resolve);
    }
  }

  private look(): void {
    const now = performance.now();
    const passed = now - this.lookedAt;
    if (passed < LOOK_MS) return;
    const served = this.served();
    this.isBusy = (served - this.seen) * 1000 >= BUSY_RATE * passed;
    this.seen = served;
    this.lookedAt = now;
  }
}
