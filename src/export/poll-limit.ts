import { LRUCache } from 'lru-cache';

/** How often the status of one export may be asked for, on one server. */
interface Allowance {
  /** Questions that are left. */
  left: number;
  /** When they were counted, milliseconds since 1970 UTC. */
  at: number;
}

/** Clients that keep to Retry-After ask once a second at most, and several of them may ask for the same export. */
const BURST = 20;
const PER_SECOND = 3;
const MOST_JOBS = 10_000;

/** Tells hasty polling from polling. */
export class PollLimit {
  private readonly allowances = new LRUCache<string, Allowance>({ max: MOST_JOBS });

  constructor(private readonly clock: () => number) {}

  /** Counts a question about a job; false where there were too many. */
  allows(job: string): boolean {
    const now = this.clock();
    const { left, at } = this.allowances.get(job) ?? { left: BURST, at: now };
    const refilled = Math.min(BURST, left + (Math.max(0, now - at) / 1000) * PER_SECOND);
    this.allowances.set(job, { left: Math.max(0, refilled - 1), at: now });
    return refilled >= 1;
  }
}
