/**
 * The server as a process, with default settings: `node server-process.js DATABASE_FILE [PARTITION…]` makes the
 * partitions that are missing. Over the IPC channel it tells its URL, and on request how long its event loop was
 * blocked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createBulkhead } from '../src/server.js';

/** What the parent may ask. */
export type ServerCommand = 'watch-loop' | 'report-loop';

/** Longest and typical times between two turns of the event loop, in milliseconds. */
export interface LoopReport {
  readonly kind: 'loop';
  readonly maxMs: number;
  readonly p99Ms: number;
}

const [, , file = 'bench.db', ...partitions] = process.argv;
const bulkhead = await createBulkhead({ settings: { databaseUrl: `sqlite:${file}`, port: 0 } });
const known = new Set(bulkhead.partitions.list().map(({ name }) => name));
for (const name of partitions) if (!known.has(name)) await bulkhead.partitions.create({ name });
const { url } = await bulkhead.start();

const delay = monitorEventLoopDelay({ resolution: 1 });
process.on('message', (command: ServerCommand) => {
  if (command === 'watch-loop') {
    delay.reset();
    delay.enable();
    return;
  }
  delay.disable();
  const report: LoopReport = { kind: 'loop', maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 };
  process.send?.(report);
});
process.on('SIGTERM', () => void bulkhead.stop().then(() => process.exit(0)));
process.send?.({ kind: 'ready', url });
