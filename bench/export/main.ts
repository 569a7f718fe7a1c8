/**
 * `npm run bench:export`: how fast a tenant is exported, against the least that can write the same lines to a file, how
 * much memory it takes, and what other tenants notice.
 *
 * `--store postgres` (sqlite); `--resources N` (1000000) in the one partition that is timed; `--tenants N` (20) with
 * 1 % of it each are exported at once; `--repetitions N` (3); `--json` prints the figures for programs.
 * Ends with 1 if a target was missed.
 */
import { parseArgs } from 'node:util';
import { openBenchStore } from '../bench-store.js';
import { pinParent } from '../child.js';
import { EXPORT_LIMITS, measureExport } from './measure-export.js';
import type { ExportResult } from './measure-export.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    resources: { type: 'string', default: '1000000' },
    tenants: { type: 'string', default: '20' },
    repetitions: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

function text(store: string, result: ExportResult): string {
  const { resources, bytes, floor, server, ratio, idleKb, peakKb, tenants, reads } = result;
  return [
    `store: ${store}; ${resources} resources, ${(bytes / 1e6).toFixed(0)} MB, exported whole`,
    `  floor ${floor.toFixed(0)} MB/s, server ${server.toFixed(0)} MB/s, ratio ${ratio.toFixed(2)}`,
    `  memory: ${(idleKb / 1024).toFixed(0)} MB idle, at most ${(peakKb / 1024).toFixed(0)} MB meanwhile`,
    `${tenants.count} tenants at once: all kicked off in ${tenants.kickOffMs.toFixed(0)} ms, first ended after ${tenants.firstMs.toFixed(0)} ms, last after ${tenants.lastMs.toFixed(0)} ms`,
    `  reads of another tenant meanwhile: p95 ${reads.busy.toFixed(1)} ms, ${reads.idle.toFixed(1)} ms without`,
  ].join('\n');
}

function missesOf({ ratio, idleKb, peakKb, reads }: ExportResult): readonly string[] {
  const grown = (peakKb - idleKb) / 1024;
  return [
    ...(ratio < EXPORT_LIMITS.ratio ? [`${ratio.toFixed(2)} of the floor, not ${EXPORT_LIMITS.ratio}`] : []),
    ...(grown > EXPORT_LIMITS.memoryMb ? [`memory grew by ${grown.toFixed(0)} MB`] : []),
    ...(reads.busy > EXPORT_LIMITS.reads * reads.idle
      ? [`reads took ${(reads.busy / reads.idle).toFixed(1)} times as long`]
      : []),
  ];
}

const store = await openBenchStore(values.store);
pinParent();
const result = await measureExport(store, {
  resources: Number(values.resources),
  tenants: Number(values.tenants),
  repetitions: Number(values.repetitions),
});
store.stop();
const misses = missesOf(result);
process.stdout.write(
  values.json ? `${JSON.stringify({ ...result, misses }, null, 2)}\n` : `${text(store.name, result)}\n`,
);
for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
process.exitCode = misses.length === 0 ? 0 : 1;
