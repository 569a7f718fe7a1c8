import type { BenchStore } from './bench-store.js';
import { startChild, type Child } from './child.js';
import { median } from './median.js';
import { postOne, requestRate } from './throughput.js';

/** Requests per second with everything in one partition, and spread over many. */
export interface PartitionRates {
  readonly name: 'read by id' | 'search by one token, page of 20';
  readonly one: number;
  readonly many: number;
  readonly ratio: number;
}

/** What many partitions cost. */
export interface PartitionResult {
  readonly partitions: number;
  readonly rates: readonly PartitionRates[];
  /** Milliseconds from the start of the process until it serves: with nothing stored, and with all of this. */
  readonly startEmpty: number;
  readonly startFull: number;
}

/** Least ratio of the rates, and most time for a start. */
export const PARTITION_LIMITS = { ratio: 0.9, startEmptyMs: 1000, startFullMs: 2000 } as const;

const PARTITIONS = 1000;
const OBSERVATIONS = 25;
const SAMPLE = 2000;
const SEARCH = 'search by one token, page of 20';

/**
 * The same 26,000 resources and the same requests, once in one partition and once in 1,000. Each group has a
 * code of its own, so that a search has 25 matches in both.
 */
export async function measurePartitions(effort: {
  readonly store: BenchStore;
  readonly seconds: number;
  readonly repetitions: number;
}): Promise<PartitionResult> {
  const { store } = effort;
  const databases = { one: await store.createDatabase(), many: await store.createDatabase() };
  const names = Array.from({ length: PARTITIONS }, (_, group) => `p${group}`);
  const one = await startChild({
    program: 'server',
    databaseUrl: databases.one.url,
    partitions: ['one'],
  });
  const many = await startChild({
    program: 'server',
    databaseUrl: databases.many.url,
    partitions: names,
  });
  try {
    await fill(one, () => 'one');
    await fill(many, (group) => `p${group}`);
    const rates = [
      await compare('read by id', { one, many }, effort),
      await compare(SEARCH, { one, many }, effort),
    ];
    await Promise.all([one.stop(), many.stop()]);
    const startEmpty = await emptyStartTime(store);
    const startFull = await medianStartTime(databases.many.url);
    return { partitions: PARTITIONS, rates, startEmpty, startFull };
  } finally {
    await databases.one.remove();
    await databases.many.remove();
  }
}

async function compare(
  name: PartitionRates['name'],
  { one, many }: { readonly one: Child; readonly many: Child },
  { seconds, repetitions }: { readonly seconds: number; readonly repetitions: number },
): Promise<PartitionRates> {
  const pathOf = name === SEARCH ? searchPath : readPath;
  const pathsIn = (partitionOf: (group: number) => string) =>
    samples().map((at) => `/${partitionOf(at % PARTITIONS)}/${pathOf(at)}`);
  const rates: { readonly one: number; readonly many: number }[] = [];
  // The first turn warms both up and does not count.
  for (let turn = 0; turn <= repetitions; turn++) {
    rates.push({
      one: await requestRate(one.url, { paths: pathsIn(() => 'one'), seconds }),
      many: await requestRate(many.url, { paths: pathsIn((group) => `p${group}`), seconds }),
    });
  }
  const counted = rates.slice(1);
  const ratio = median(counted.map((rate) => rate.many / rate.one));
  return {
    name,
    one: median(counted.map((rate) => rate.one)),
    many: median(counted.map((rate) => rate.many)),
    ratio,
  };
}

/** Numbers that hit all groups in an order without a pattern. */
function samples(): number[] {
  return Array.from({ length: SAMPLE }, (_, at) => (at * 7919) % (PARTITIONS * OBSERVATIONS));
}

/** One of the observations. */
export function readPath(at: number): string {
  return `Observation/o-${at % PARTITIONS}-${Math.floor(at / PARTITIONS)}`;
}

/** The observations of one group. */
export function searchPath(at: number): string {
  return `Observation?code=${encodeURIComponent(`urn:bench|c-${at % PARTITIONS}`)}&_count=20`;
}

async function fill({ url }: Child, partitionOf: (group: number) => string): Promise<void> {
  for (let group = 0; group < PARTITIONS; group++)
    await postOne(`${url}/${partitionOf(group)}`, groupBundle(group));
}

/** A transaction with a patient and observations of a code of their own. */
export function groupBundle(group: number): string {
  const patient = { resourceType: 'Patient', id: `p-${group}`, name: [{ family: `Family${group}` }] };
  const observations = Array.from({ length: OBSERVATIONS }, (_, number) => ({
    resourceType: 'Observation',
    id: `o-${group}-${number}`,
    status: 'final',
    code: { coding: [{ system: 'urn:bench', code: `c-${group}` }] },
    subject: { reference: `Patient/p-${group}` },
    effectiveDateTime: `2024-01-0${1 + (number % 9)}`,
    valueQuantity: { value: number, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  }));
  const entry = [patient, ...observations].map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
}

const STARTS = 3;

/** With a new database each time: its schema is made too. */
async function emptyStartTime(store: BenchStore): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < STARTS; number++) {
    const database = await store.createDatabase();
    times.push(await startTime(database.url));
    await database.remove();
  }
  return median(times);
}

async function medianStartTime(databaseUrl: string): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < STARTS; number++) times.push(await startTime(databaseUrl));
  return median(times);
}

async function startTime(databaseUrl: string): Promise<number> {
  const child = await startChild({ program: 'server', databaseUrl });
  await child.stop();
  return child.startMs;
}
