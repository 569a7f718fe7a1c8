import type { Placement } from '../src/model/partition.js';
import type { BenchStore } from './bench-store.js';
import { startChild, type Child, type ChildOptions } from './child.js';
import { median } from './median.js';
import { groupBundle, readPath, searchPath } from './partitions.js';
import { postOne, requestRate } from './throughput.js';

/** Requests per second spread over partitions that share tables, and over as many that have homes of their own. */
export interface PlacementRates {
  readonly name: 'read by id' | 'search by one token, page of 20' | 'create Observation';
  readonly shared: number;
  readonly placed: number;
  readonly ratio: number;
}

/** What a partition costs where it is placed. */
export interface PlacementResult {
  readonly placement: Placement;
  /** Empty for `shared`. */
  readonly rates: readonly PlacementRates[];
  readonly partitions: number;
  /** Resident memory for each partition that nobody uses, in KB. */
  readonly idleKb: number;
  /** Milliseconds from the start of the process until it serves all partitions. */
  readonly startMs: number;
}

/** Most time for a start with many partitions, wherever they are. */
export const PLACED_START_LIMIT_MS = 5000;

/** How many partitions share the load. */
const BUSY = 200;
const SAMPLE = 2000;
/** One home stays open while the memory of those that were closed is looked for, also where there is only one. */
const FEW_OPEN = 1;

interface PlacementEffort {
  readonly store: BenchStore;
  readonly seconds: number;
  readonly repetitions: number;
  readonly placement: Placement;
  /** How many partitions memory and start are measured with. */
  readonly partitions: number;
}

/** The rates of 200 partitions against shared ones; memory and start with as many as `effort` says. */
export async function measurePlacement(effort: PlacementEffort): Promise<PlacementResult> {
  const { placement, partitions } = effort;
  const rates = placement === 'shared' ? [] : await measureRates(effort);
  const one = await measureIdle(effort, 1);
  const many = await measureIdle(effort, partitions);
  const idleKb = (many.rssKb - one.rssKb) / (partitions - 1);
  return { placement, rates, partitions, idleKb, startMs: many.startMs };
}

async function measureRates(effort: PlacementEffort): Promise<readonly PlacementRates[]> {
  const databases = [await effort.store.createDatabase(), await effort.store.createDatabase()] as const;
  const options = { maxOpenHomes: BUSY, partitions: namesOf(BUSY) };
  const shared = await startServer({ ...options, databaseUrl: databases[0].url, placement: 'shared' });
  const placed = await startServer({
    ...options,
    databaseUrl: databases[1].url,
    placement: effort.placement,
  });
  try {
    for (const child of [shared, placed]) await fill(child);
    const rates: PlacementRates[] = [];
    for (const name of ['read by id', 'search by one token, page of 20', 'create Observation'] as const)
      rates.push(await compare(name, { shared, placed }, effort));
    return rates;
  } finally {
    await Promise.all([shared.stop(), placed.stop()]);
    for (const database of databases) await database.remove();
  }
}

async function fill({ url }: Child): Promise<void> {
  for (let group = 0; group < BUSY; group++) await postOne(`${url}/p${group}`, groupBundle(group));
}

/** In turns; the first one warms both up and does not count. */
async function compare(
  name: PlacementRates['name'],
  { shared, placed }: { readonly shared: Child; readonly placed: Child },
  { seconds, repetitions }: PlacementEffort,
): Promise<PlacementRates> {
  const load = { ...loadOf(name), seconds };
  const turns: { readonly shared: number; readonly placed: number }[] = [];
  for (let turn = 0; turn <= repetitions; turn++) {
    const before = await requestRate(shared.url, load);
    turns.push({ shared: before, placed: await requestRate(placed.url, load) });
  }
  const counted = turns.slice(1);
  return {
    name,
    shared: median(counted.map((turn) => turn.shared)),
    placed: median(counted.map((turn) => turn.placed)),
    ratio: median(counted.map((turn) => turn.placed / turn.shared)),
  };
}

function loadOf(name: PlacementRates['name']): { readonly paths: readonly string[]; readonly body?: string } {
  switch (name) {
    case 'read by id':
      return { paths: spread(readPath) };
    case 'search by one token, page of 20':
      return { paths: spread(searchPath) };
    case 'create Observation':
      return { paths: spread(() => 'Observation'), body: OBSERVATION };
  }
}

/** All partitions in an order without a pattern. */
function spread(pathOf: (group: number) => string): string[] {
  return Array.from({ length: SAMPLE }, (_, turn) => {
    const group = (turn * 7919) % BUSY;
    return `/p${group}/${pathOf(group)}`;
  });
}

const OBSERVATION = JSON.stringify({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'urn:bench', code: 'created' }] },
  effectiveDateTime: '2024-01-01',
  valueQuantity: { value: 1, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
});

/** A new process, after the one that made the partitions; every partition is used once, and closed again. */
async function measureIdle(
  { store, placement }: PlacementEffort,
  partitions: number,
): Promise<{ readonly rssKb: number; readonly startMs: number }> {
  const database = await store.createDatabase();
  const names = namesOf(partitions);
  const options = { databaseUrl: database.url, placement, maxOpenHomes: FEW_OPEN };
  const maker = await startServer({ ...options, partitions: names });
  await maker.stop();
  const child = await startServer(options);
  try {
    // As much work in both, so that what is compiled and cached for it is the same.
    for (let turn = 0; turn < 1000; turn++) await use(child, names[turn % partitions]!);
    return { rssKb: await child.rssKb(), startMs: child.startMs };
  } finally {
    await child.stop();
    await database.remove();
  }
}

async function use({ url }: Child, partition: string): Promise<void> {
  const response = await fetch(`${url}/${partition}/Patient?_count=1`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${partition}: ${response.status} ${text.slice(0, 500)}`);
}

function startServer(options: Omit<ChildOptions, 'program'>): Promise<Child> {
  return startChild({ program: 'server', ...options });
}

function namesOf(partitions: number): string[] {
  return Array.from({ length: partitions }, (_, number) => `p${number}`);
}
