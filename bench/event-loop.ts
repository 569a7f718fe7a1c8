import { setTimeout as pause } from 'node:timers/promises';
import type { BenchStore } from './bench-store.js';
import { startChild } from './child.js';
import type { Corpus } from './corpus.js';
import { percentile } from './median.js';
import type { LoopReport } from './server-process.js';
import { postOne } from './throughput.js';

/** What happens to others while transactions of 1,000 entries are stored. Times in milliseconds. */
export interface LoopResult {
  readonly idle: ReadLatency;
  readonly busy: ReadLatency;
  readonly bundleMs: number;
}

/** Latency of point reads, from when they were due, and how long the event loop of the server was held. */
export interface ReadLatency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly loop: Omit<LoopReport, 'kind'>;
}

/** Longest time that the event loop may be held. */
export const LOOP_LIMIT_MS = 50;

const READ_INTERVAL_MS = 5;

/** Reads one resource 200 times a second, first alone, then beside one large transaction a second. */
export async function measureEventLoop(
  corpus: Corpus,
  store: BenchStore,
  bundles: number,
): Promise<LoopResult> {
  const database = await store.createDatabase();
  const child = await startChild({
    program: 'server',
    databaseUrl: database.url,
    partitions: ['bench'],
  });
  const base = `${child.url}/bench`;
  try {
    await postOne(base, corpus.seeds);
    await postOne(base, corpus.largeBundle);
    const watched = async (work: () => Promise<void>): Promise<ReadLatency> => {
      child.watchLoop();
      const latencies = await readWhile(`${base}/Patient/seed-patient`, work);
      const { maxMs, maxCpuMs } = await child.reportLoop();
      const [p50 = NaN, p99 = NaN, max = NaN] = [0.5, 0.99, 1].map((part) => percentile(latencies, part));
      return { p50, p99, max, loop: { maxMs, maxCpuMs } };
    };
    const idle = await watched(() => pause(2000));
    const times: number[] = [];
    const busy = await watched(async () => {
      for (let number = 0; number < bundles; number++) times.push(await timed(base, corpus.largeBundle));
    });
    return { idle, busy, bundleMs: percentile(times, 0.5) };
  } finally {
    await child.stop();
    await database.remove();
  }
}

async function timed(base: string, bundle: string): Promise<number> {
  const begin = performance.now();
  await postOne(base, bundle);
  const took = performance.now() - begin;
  await pause(Math.max(0, 1000 - took));
  return took;
}

/** A read is late from the moment it was due, not from when it could be sent. */
async function readWhile(url: string, work: () => Promise<void>): Promise<number[]> {
  const reads: Promise<number>[] = [];
  let due = performance.now() + READ_INTERVAL_MS;
  const timer = setInterval(() => {
    for (; due <= performance.now(); due += READ_INTERVAL_MS) reads.push(readLatency(url, due));
  }, 1);
  await work();
  clearInterval(timer);
  return Promise.all(reads);
}

async function readLatency(url: string, due: number): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return performance.now() - due;
}
