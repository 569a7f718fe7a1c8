/**
 * `npm run bench:export`: how fast a tenant is exported, against the least that can write the same lines to a file, how
 * much memory it takes, and what other tenants notice.
 *
 * `--store postgres` (sqlite); `--resources N` (1000000) in the one partition that is timed, and again spread over
 * `--tenants N` (20) that are exported at once; `--only whole` or `--only tenants` does one of the two;
 * `--repetitions N` (3) of the former; `--json` prints the figures for programs. Ends with 1 if a target was missed.
 */
import { parseArgs } from 'node:util';
import { openBenchStore } from '../bench-store.js';
import { pinParent } from '../child.js';
import {
  EXPORT_LIMITS,
  measureTenants,
  measureWhole,
  type TenantsResult,
  type WholeResult,
} from './measure-export.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    resources: { type: 'string', default: '1000000' },
    tenants: { type: 'string', default: '20' },
    only: { type: 'string' },
    repetitions: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

function linesOfWhole(store: string, whole: WholeResult): readonly string[] {
  const { resources, bytes, floor, server, ratio, idleKb, peakKb } = whole;
  return [
    `store: ${store}; ${resources} resources, ${(bytes / 1e6).toFixed(0)} MB, exported whole`,
    `  floor ${floor.toFixed(0)} MB/s, server ${server.toFixed(0)} MB/s, ratio ${ratio.toFixed(2)}`,
    `  memory: ${(idleKb / 1024).toFixed(0)} MB idle, at most ${(peakKb / 1024).toFixed(0)} MB meanwhile`,
  ];
}

function linesOfTenants({ tenants, reads }: TenantsResult): readonly string[] {
  const { count, kickOffMs, firstMs, lastMs } = tenants;
  return [
    `${count} tenants at once: all kicked off in ${kickOffMs.toFixed(0)} ms, first ended after ${firstMs.toFixed(0)} ms, last after ${lastMs.toFixed(0)} ms`,
    `  reads of another tenant meanwhile: p95 ${reads.busy.toFixed(1)} ms, ${reads.idle.toFixed(1)} ms without`,
  ];
}

function missesOfWhole({ ratio, idleKb, peakKb }: WholeResult): readonly string[] {
  const grown = (peakKb - idleKb) / 1024;
  return [
    ...(ratio < EXPORT_LIMITS.ratio ? [`${ratio.toFixed(2)} of the floor, not ${EXPORT_LIMITS.ratio}`] : []),
    ...(grown > EXPORT_LIMITS.memoryMb ? [`memory grew by ${grown.toFixed(0)} MB`] : []),
  ];
}

function missesOfTenants({ reads }: TenantsResult): readonly string[] {
  const times = reads.busy / reads.idle;
  return times > EXPORT_LIMITS.reads ? [`reads took ${times.toFixed(1)} times as long`] : [];
}

const store = await openBenchStore(values.store);
pinParent();
const effort = {
  resources: Number(values.resources),
  tenants: Number(values.tenants),
  repetitions: Number(values.repetitions),
};
const whole = values.only === 'tenants' ? undefined : await measureWhole(store, effort);
const tenants = values.only === 'whole' ? undefined : await measureTenants(store, effort);
store.stop();
const lines = [
  ...(whole ? linesOfWhole(store.name, whole) : []),
  ...(tenants ? linesOfTenants(tenants) : []),
];
const misses = [...(whole ? missesOfWhole(whole) : []), ...(tenants ? missesOfTenants(tenants) : [])];
process.stdout.write(
  values.json ? `${JSON.stringify({ ...whole, ...tenants, misses }, null, 2)}\n` : `${lines.join('\n')}\n`,
);
for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
process.exitCode = misses.length === 0 ? 0 : 1;
