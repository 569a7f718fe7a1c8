import {
  createSearchParameterRegistry,
  type SearchParameterRegistry,
} from '../../src/fhir/search-parameters.js';
import type { PartitionScope } from '../../src/model/partition.js';
import { parseSearch } from '../../src/search/parse.js';
import { planRequest } from '../../src/search/plan-several.js';
import { DEFAULT_SEARCH_LIMITS } from '../../src/search/search-request.js';
import { createBulkhead } from '../../src/server.js';
import { toStorageOptions } from '../../src/storage-options.js';
import { openStorage } from '../../src/storage/open-storage.js';
import type { SearchPlan, SearchRow } from '../../src/storage/search-store.js';
import type { Storage } from '../../src/storage/storage.js';
import type { BenchStore } from '../bench-store.js';
import { startChild } from '../child.js';
import { median, percentile } from '../median.js';
import { type FloorIds, readFloorIds } from './floor-ids.js';
import { partitionOf, RECORD_SIZE, storePatients } from './patient-data.js';
import { openSearchFloor, type SearchFloor } from './search-floor.js';
import { FLOORED_SHAPES, FURTHER_SHAPES, type Sample, type SearchShape } from './search-shapes.js';

/** Microseconds from the call to the rows: half of the calls took no longer, and all but one in a hundred. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
}

/** One shape in one database. */
export interface ShapeResult {
  readonly name: string;
  readonly partitions: number;
  /** Undefined where a shape has no floor. */
  readonly floor: Times | undefined;
  /** The storage alone, with the same rows. */
  readonly store: Times | undefined;
  /** Over HTTP, one request after another. */
  readonly http: Times;
}

/** Filling an empty database, just before it is searched. */
export interface LoadResult {
  readonly partitions: number;
  /** Resources a second. */
  readonly rate: number;
}

/** Searches in a database of many resources, spread over ever more partitions. */
export interface SearchResult {
  readonly resources: number;
  readonly loads: readonly LoadResult[];
  readonly shapes: readonly ShapeResult[];
}

/** Most times the floor that the storage may take, and most milliseconds over HTTP at p99. */
export const SEARCH_LIMITS = { ratio: 1.5, p99Ms: 50 } as const;

const SPREADS = [1, 10, 1000];
/** Calls of a shape that count, and those before them. */
const CALLS = 300;
const WARM_UP = 30;
/** Floor and storage take turns of so many calls. */
const TURN = 25;

/** Each spread in a database of its own, with the same data. */
export async function measureSearch(store: BenchStore, resources: number): Promise<SearchResult> {
  const patients = Math.max(1, Math.round(resources / RECORD_SIZE));
  const loads: LoadResult[] = [];
  const shapes: ShapeResult[] = [];
  for (const partitions of SPREADS) {
    const spread = await measureSpread(store, patients, partitions);
    loads.push({ partitions, rate: spread.rate });
    shapes.push(...spread.shapes);
  }
  return { resources: patients * RECORD_SIZE, loads, shapes };
}

async function measureSpread(
  store: BenchStore,
  patients: number,
  partitions: number,
): Promise<{ readonly rate: number; readonly shapes: readonly ShapeResult[] }> {
  const database = await store.createDatabase();
  const samples = samplesOf(patients, partitions);
  try {
    const { rate, times: http } = await measureHttp(store, database.url, { patients, partitions });
    process.stderr.write(
      `${partitions} partitions: ${Math.round(rate)} resources a second stored, searched\n`,
    );
    const inside = await measureInside(store, database.url, samples);
    const shapes = [...http].map(([name, times]) => {
      const both = inside.get(name);
      return { name, partitions, floor: both?.floor, store: both?.store, http: times };
    });
    return { rate, shapes };
  } finally {
    await database.remove();
  }
}

/** Floor and storage, by shape. */
async function measureInside(
  store: BenchStore,
  databaseUrl: string,
  samples: readonly Sample[],
): Promise<ReadonlyMap<string, { readonly floor: Times; readonly store: Times }>> {
  const bulkhead = await createBulkhead({ settings: { databaseUrl, logLevel: 'silent', port: 0 } });
  await bulkhead.stop();
  const floor = await openSearchFloor(store, store.floorUrl(databaseUrl));
  const storage = await openStorage(toStorageOptions(bulkhead.settings, Date.now));
  try {
    const inside = new Map<string, { readonly floor: Times; readonly store: Times }>();
    const ids = await readFloorIds(floor);
    for (const shape of FLOORED_SHAPES)
      inside.set(shape.name, await compare(shape, samples, { floor, ids, storage }));
    return inside;
  } finally {
    await storage.close();
    await floor.close();
  }
}

/** Fills the database, and asks the server that filled it. */
async function measureHttp(
  store: BenchStore,
  databaseUrl: string,
  { patients, partitions }: { readonly patients: number; readonly partitions: number },
): Promise<{ readonly rate: number; readonly times: ReadonlyMap<string, Times> }> {
  const names = Array.from({ length: partitions }, (_, number) => partitionOf(number, partitions));
  const child = await startChild({ program: 'server', databaseUrl, partitions: names });
  try {
    const filled = performance.now();
    await storePatients(child.url, patients, partitions);
    const rate = (patients * RECORD_SIZE * 1000) / (performance.now() - filled);
    await store.settle(databaseUrl);
    const results = new Map<string, Times>();
    for (const shape of [...FLOORED_SHAPES, ...FURTHER_SHAPES]) {
      const times: number[] = [];
      for (const [turn, sample] of samplesOf(patients, partitions).entries()) {
        const begin = performance.now();
        await ask(child.url + pathOf(shape, sample));
        if (turn >= WARM_UP) times.push((performance.now() - begin) * 1000);
      }
      results.set(shape.name, timesOf(times));
    }
    return { rate, times: results };
  } finally {
    await child.stop();
  }
}

function pathOf(shape: Pick<SearchShape, 'type' | 'query'> & Partial<SearchShape>, sample: Sample): string {
  const query = shape.query(sample);
  const base = `/${sample.partition}/${shape.type}`;
  if (shape.answer === 'read') return `${base}/${query}`;
  return shape.answer === 'count' ? `${base}?${query}&_summary=count` : `${base}?${query}`;
}

async function ask(url: string): Promise<void> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${text.slice(0, 500)}`);
}

/** Patients in an order without a pattern. */
function samplesOf(patients: number, partitions: number): readonly Sample[] {
  return Array.from({ length: WARM_UP + CALLS }, (_, turn) => {
    const patient = (turn * 7919) % patients;
    return { patient, partition: partitionOf(patient, partitions) };
  });
}

interface Inside {
  readonly floor: SearchFloor;
  readonly ids: FloorIds;
  readonly storage: Storage;
}

/** Answers how many rows there are. */
type Run = () => Promise<number>;

/** Floor and storage in turns; both must answer as many rows. */
async function compare(
  shape: SearchShape,
  samples: readonly Sample[],
  inside: Inside,
): Promise<{ readonly floor: Times; readonly store: Times }> {
  const times = { floor: [] as number[], store: [] as number[] };
  const answered = { floor: 0, store: 0 };
  for (let at = 0; at < samples.length; at += TURN) {
    for (const side of ['floor', 'store'] as const) {
      for (const [place, sample] of samples.slice(at, at + TURN).entries()) {
        const run = side === 'floor' ? floorRun(shape, inside, sample) : storeRun(shape, inside, sample);
        const begin = process.hrtime.bigint();
        const found = await run();
        const taken = Number(process.hrtime.bigint() - begin) / 1000;
        answered[side] += found;
        if (at + place >= WARM_UP) times[side].push(taken);
      }
    }
  }
  if (answered.floor !== answered.store || answered.floor === 0)
    throw new Error(`${shape.name}: the floor finds ${answered.floor} rows, the storage ${answered.store}.`);
  return { floor: timesOf(times.floor), store: timesOf(times.store) };
}

/** The statements of the floor; how they are made is left out of the time. */
function floorRun(shape: SearchShape, { floor, ids }: Inside, sample: Sample): Run {
  const statements = shape.floor(sample, ids);
  return async () => {
    let found = 0;
    for (const statement of statements) {
      const rows = await floor.rows(statement, shape.custom && 'custom');
      found += shape.answer === 'count' ? Number(rows[0]?.[0]) : rows.length;
    }
    return found;
  };
}

/** What the storage is asked; parsing and planning are left out of the time. */
function storeRun(shape: SearchShape, { storage, ids }: Inside, sample: Sample): Run {
  const { resources, search } = storage;
  const scope = { partitions: [ids.partition(sample.partition)], all: false } as unknown as PartitionScope;
  const query = shape.query(sample);
  if (shape.answer === 'read') return async () => (await resources.read(scope, shape.type, query)).length;
  const { plan, count } = planOf(shape.type, query);
  if (shape.answer === 'count') return () => search.count(scope, plan);
  const page = (): Promise<readonly SearchRow[]> => search.page(scope, plan, { count });
  if (shape.answer === 'page') return async () => (await page()).length;
  return async () => {
    const rows = await page();
    const from = rows.map(({ rowId }) => rowId);
    const include = { direction: 'include', sourceType: shape.type, targetType: null, limit: 1000 } as const;
    return rows.length + (await search.linked(scope, { ...include, paths: ['subject'], from })).length;
  };
}

function planOf(type: string, query: string): { readonly plan: SearchPlan; readonly count: number } {
  const request = parseSearch(type, [...new URLSearchParams(query)], {
    registry: registry(),
    limits: DEFAULT_SEARCH_LIMITS,
    handling: 'strict',
    toLocal: () => null,
    now: 0,
  });
  return { plan: planRequest(request), count: request.count };
}

let loaded: SearchParameterRegistry | undefined;

function registry(): SearchParameterRegistry {
  return (loaded ??= createSearchParameterRegistry());
}

function timesOf(times: readonly number[]): Times {
  return { p50: median(times), p99: percentile(times, 0.99) };
}
