import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchStore } from '../bench-store.js';
import { type Child, type ChildOptions, startChild, temporaryFolder } from '../child.js';
import { median, percentile } from '../median.js';
import { groupBundle, readPath } from '../partitions.js';
import { RECORD_SIZE, storePatients } from '../search/patient-data.js';
import { postOne } from '../throughput.js';

/** How much, how many and how often. */
export interface ExportEffort {
  readonly resources: number;
  readonly tenants: number;
  readonly repetitions: number;
}

/** What the export of one large partition costs. */
export interface WholeResult {
  readonly resources: number;
  readonly bytes: number;
  /** Medians in MB (10^6 bytes) a second. */
  readonly floor: number;
  readonly server: number;
  readonly ratio: number;
  /** Resident memory of the server before, and the most while it exported. */
  readonly idleKb: number;
  readonly peakKb: number;
}

/** What the exports of many partitions at once cost others. */
export interface TenantsResult {
  readonly tenants: TenantTimes;
  /** 95th percentile of reads by id in milliseconds, with and without exports of others. */
  readonly reads: { readonly idle: number; readonly busy: number };
}

/** Exports of many tenants at once: milliseconds since the first was kicked off. */
interface TenantTimes {
  readonly count: number;
  readonly kickOffMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Least ratio to the floor, most MB above idle, and most times the latency of reads. */
export const EXPORT_LIMITS = { ratio: 0.8, memoryMb: 256, reads: 2 } as const;

/** Several of a tenant's files, so that the tenants take turns. */
const TENANT_FILE_BYTES = 8 * 1024 * 1024;
const SAMPLE_MS = 20;
/** Metrics cost the server more than a read: whoever asks often is what reads wait for. */
const ASKED_MS = 100;
const READ_MS = 10;
const IDLE_READS_MS = 10_000;

/** Exports one large partition in turns with the floor. */
export async function measureWhole(
  store: BenchStore,
  { resources, repetitions }: ExportEffort,
): Promise<WholeResult> {
  const patients = Math.max(1, Math.round(resources / RECORD_SIZE));
  const database = await store.createDatabase();
  const folder = temporaryFolder();
  const settings = { exportDir: join(folder.path, 'exports') };
  const options: ChildOptions = {
    program: 'server',
    databaseUrl: database.url,
    partitions: ['p0'],
    settings,
  };
  try {
    await filled(options, (child) => storePatients(child.url, patients, 1));
    const runs: (ServerRun & { readonly floor: number })[] = [];
    // The first turn warms up what is cached, and does not count.
    for (let turn = 0; turn <= repetitions; turn++) {
      const floor = runFloor(database.url, join(folder.path, 'floor.ndjson'));
      runs.push({ floor, ...(await runServer(options, settings.exportDir)) });
    }
    const counted = runs.slice(1);
    const floor = median(counted.map((run) => run.floor));
    const server = median(counted.map((run) => run.rate));
    return {
      resources: patients * RECORD_SIZE,
      bytes: counted[0]!.bytes,
      floor,
      server,
      ratio: server / floor,
      idleKb: median(counted.map((run) => run.idleKb)),
      peakKb: Math.max(...counted.map((run) => run.peakKb)),
    };
  } finally {
    folder.remove();
    await database.remove();
  }
}

async function filled(options: ChildOptions, fill: (child: Child) => Promise<void>): Promise<void> {
  const child = await startChild(options);
  await fill(child);
  await child.stop();
}

/** MB a second, on the core that the server has. */
function runFloor(databaseUrl: string, file: string): number {
  const program = fileURLToPath(new URL('./floor.js', import.meta.url));
  const pinned = process.platform === 'linux' ? ['taskset', '-c', '0'] : [];
  const [command = '', ...words] = [...pinned, process.execPath, program, databaseUrl, file];
  const ms = Number(execFileSync(command, words, { encoding: 'utf8' }));
  const { size } = statSync(file);
  rmSync(file);
  return size / 1e3 / ms;
}

interface ServerRun {
  readonly rate: number;
  readonly bytes: number;
  readonly idleKb: number;
  readonly peakKb: number;
}

/** A fresh process each time: from the kick-off until it counts the export as complete. */
async function runServer(options: ChildOptions, folder: string): Promise<ServerRun> {
  const child = await startChild(options);
  try {
    const idleKb = await child.rssKb();
    const watch = { peakKb: idleKb };
    const timer = setInterval(() => {
      watch.peakKb = Math.max(watch.peakKb, child.residentKb() ?? 0);
    }, SAMPLE_MS);
    const begin = performance.now();
    const job = await kickOff(`${child.url}/p0`);
    await completed(child, 1);
    const ms = performance.now() - begin;
    clearInterval(timer);
    const bytes = sizeOf(folder);
    await fetch(job, { method: 'DELETE' });
    rmSync(folder, { recursive: true, force: true });
    return { rate: bytes / 1e3 / ms, bytes, idleKb, peakKb: watch.peakKb };
  } finally {
    await child.stop();
  }
}

/** Answers the URL of the export's status. */
async function kickOff(base: string): Promise<string> {
  const response = await fetch(`${base}/$export`, { headers: { prefer: 'respond-async' } });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`${base}/$export: ${response.status} ${text.slice(0, 500)}`);
  return response.headers.get('content-location') ?? '';
}

/** Resolves when the server has completed so many. Statuses would be asked for too often. */
async function completed(child: Child, count: number): Promise<void> {
  while ((await countCompleted(child)) < count) await pause(ASKED_MS);
}

async function countCompleted({ url }: Child): Promise<number> {
  const response = await fetch(new URL('/metrics', url));
  const [, count = '0'] =
    /^bulkhead_exports_ended_total\{state="complete"\} (\d+)$/m.exec(await response.text()) ?? [];
  return Number(count);
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ndjson'),
  );
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Exports as much in many partitions at once, while somebody reads in another one. */
export async function measureTenants(
  store: BenchStore,
  { resources, tenants: count }: ExportEffort,
): Promise<TenantsResult> {
  const each = Math.max(1, Math.round(resources / count / RECORD_SIZE));
  const database = await store.createDatabase();
  const folder = temporaryFolder();
  const names = Array.from({ length: count }, (_, number) => `p${number}`);
  // Few reads make no load: the server has what it would have, so that exports need not wait for reads, nor reads for them.
  const child = await startChild({
    program: 'server',
    cores: 'all',
    databaseUrl: database.url,
    partitions: [...names, 'other'],
    settings: { exportDir: folder.path, exportFileBytes: TENANT_FILE_BYTES },
  });
  try {
    await storePatients(child.url, each * count, count);
    await postOne(`${child.url}/other`, groupBundle(0));
    await store.settle(database.url);
    const read = `${child.url}/other/${readPath(0)}`;
    const idle = await readWhile(read, () => pause(IDLE_READS_MS));
    let tenants: TenantTimes | undefined;
    const busy = await readWhile(read, async () => {
      tenants = await exportAll(child, names);
    });
    return { tenants: tenants!, reads: { idle: percentile(idle, 0.95), busy: percentile(busy, 0.95) } };
  } finally {
    await child.stop();
    folder.remove();
    await database.remove();
  }
}

async function exportAll(child: Child, names: readonly string[]): Promise<TenantTimes> {
  const begin = performance.now();
  for (const name of names) await kickOff(`${child.url}/${name}`);
  const kickOffMs = performance.now() - begin;
  await completed(child, 1);
  const firstMs = performance.now() - begin;
  await completed(child, names.length);
  return { count: names.length, kickOffMs, firstMs, lastMs: performance.now() - begin };
}

/** Latencies in milliseconds of reads that are sent at a steady pace. */
async function readWhile(url: string, work: () => Promise<void>): Promise<readonly number[]> {
  const reads: Promise<number>[] = [];
  const timer = setInterval(() => void reads.push(latency(url, performance.now())), READ_MS);
  await work();
  clearInterval(timer);
  return Promise.all(reads);
}

async function latency(url: string, due: number): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return performance.now() - due;
}
