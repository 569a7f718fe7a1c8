/**
 * The server as a process: `node server-process.js SETTINGS [PARTITION…]`, where SETTINGS is the JSON of what differs
 * from the defaults, makes the partitions that are missing. Over the IPC channel it tells its URL, and on request how
 * long its event loop was blocked and how much memory it has.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createBulkhead } from '../src/server.js';
import type { Settings } from '../src/settings/schema.js';

/** What the parent may ask. */
export type ServerCommand = 'watch-loop' | 'report-loop' | 'report-memory';

/** Longest times between two turns of the event loop while it was watched, in milliseconds. */
export interface LoopReport {
  readonly kind: 'loop';
  readonly maxMs: number;
  /** The most CPU time between two turns: what is left when others on the machine are taken off. */
  readonly maxCpuMs: number;
}

/** Resident memory in KB, after a garbage collection where the process may ask for one (`--expose-gc`). */
export interface MemoryReport {
  readonly kind: 'memory';
  readonly rssKb: number;
}

/** Memory that was given up goes back to the system a little later. */
const SETTLE_MS = 500;

async function memory(): Promise<MemoryReport> {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await pause(SETTLE_MS);
  }
  return { kind: 'memory', rssKb: Math.round(process.memoryUsage.rss() / 1024) };
}

/** Looks at the clocks once a millisecond, or as soon as the event loop lets it. */
class LoopWatch {
  private timer: NodeJS.Timeout | undefined;
  private maxMs = 0;
  private maxCpuMs = 0;

  start(): void {
    this.maxMs = 0;
    this.maxCpuMs = 0;
    let last = performance.now();
    let lastCpu = process.threadCpuUsage();
    this.timer = setInterval(() => {
      const { user, system } = process.threadCpuUsage(lastCpu);
      this.maxMs = Math.max(this.maxMs, performance.now() - last);
      this.maxCpuMs = Math.max(this.maxCpuMs, (user + system) / 1000);
      last = performance.now();
      lastCpu = process.threadCpuUsage();
    }, 1);
  }

  stop(): LoopReport {
    clearInterval(this.timer);
    return { kind: 'loop', maxMs: this.maxMs, maxCpuMs: this.maxCpuMs };
  }
}

const [, , settings = '{}', ...partitions] = process.argv;
const bulkhead = await createBulkhead({
  settings: { ...(JSON.parse(settings) as Partial<Settings>), port: 0 },
});
const known = new Set(bulkhead.partitions.list().map(({ name }) => name));
for (const name of partitions) if (!known.has(name)) await bulkhead.partitions.create({ name });
const { url } = await bulkhead.start();

const watch = new LoopWatch();
process.on('message', (command: ServerCommand) => {
  if (command === 'watch-loop') watch.start();
  else if (command === 'report-loop') process.send?.(watch.stop());
  else void memory().then((report) => process.send?.(report));
});
process.on('SIGTERM', () => void bulkhead.stop().then(() => process.exit(0)));
process.send?.({ kind: 'ready', url });
