/**
 * The server as a process, with default settings: `node server-process.js DATABASE_URL [PARTITION…]` makes the
 * partitions that are missing. Over the IPC channel it tells its URL, and on request how long its event loop was
 * blocked.
 */
import { createBulkhead } from '../src/server.js';

/** What the parent may ask. */
export type ServerCommand = 'watch-loop' | 'report-loop';

/** Longest times between two turns of the event loop while it was watched, in milliseconds. */
export interface LoopReport {
  readonly kind: 'loop';
  readonly maxMs: number;
  /** The most CPU time between two turns: what is left when others on the machine are taken off. */
  readonly maxCpuMs: number;
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

const [, , databaseUrl = 'sqlite:bench.db', ...partitions] = process.argv;
const bulkhead = await createBulkhead({ settings: { databaseUrl, port: 0 } });
const known = new Set(bulkhead.partitions.list().map(({ name }) => name));
for (const name of partitions) if (!known.has(name)) await bulkhead.partitions.create({ name });
const { url } = await bulkhead.start();

const watch = new LoopWatch();
process.on('message', (command: ServerCommand) => {
  if (command === 'watch-loop') watch.start();
  else process.send?.(watch.stop());
});
process.on('SIGTERM', () => void bulkhead.stop().then(() => process.exit(0)));
process.send?.({ kind: 'ready', url });
