import autocannon from 'autocannon';
import type { BenchStore } from './bench-store.js';
import { startChild, type Child } from './child.js';
import type { Corpus } from './corpus.js';
import { median } from './median.js';

/** One request as it is sent; `path` begins after the base. */
interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** One thing that is measured, the same for floor and server. */
export interface Case {
  readonly name: string;
  readonly connections: number;
  readonly calls: readonly Call[];
  /** Operations of one request. */
  readonly operations: number;
  /** Least ratio of the server's throughput to the floor's. */
  readonly target: number;
}

/** One repetition of a case on one program. */
export interface Sample {
  /** Operations per second. */
  readonly rate: number;
  /** CPU time of the program per operation, in microseconds. */
  readonly cpu: number | undefined;
  /** Latency of requests in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Medians of a case. */
export interface Comparison {
  readonly name: string;
  readonly target: number;
  readonly floor: Sample;
  readonly server: Sample;
  readonly ratio: number;
  readonly cpuRatio: number | undefined;
}

/** How long and how often. */
export interface Effort {
  readonly store: BenchStore;
  readonly seconds: number;
  readonly repetitions: number;
  readonly profile: string | undefined;
  /** Only cases whose name begins so. */
  readonly only: string;
}

type Program = 'floor' | 'server';

const HEADERS = { 'content-type': 'application/fhir+json' };
/** Until the compilers of both are done: the server has far more to compile than the floor. */
const WARM_UP_SECONDS = 3;

/** Every case on both programs, in turns: floor, server, floor, server, … each with an empty database. */
export async function compareThroughput(corpus: Corpus, effort: Effort): Promise<Comparison[]> {
  const samples = new Map<string, Record<Program, Sample[]>>();
  if (!casesOf(corpus, []).some(({ name }) => name.startsWith(effort.only))) return [];
  for (let repetition = 0; repetition < effort.repetitions; repetition++) {
    for (const program of ['floor', 'server'] as const) {
      for (const [{ name }, sample] of await measureProgram(program, corpus, effort)) {
        const both = samples.get(name) ?? { floor: [], server: [] };
        both[program].push(sample);
        samples.set(name, both);
      }
    }
  }
  return casesOf(corpus, []).flatMap((one) => {
    const both = samples.get(one.name);
    return both ? [compare(one, both)] : [];
  });
}

function compare({ name, target }: Case, samples: Record<Program, readonly Sample[]>): Comparison {
  const floor = medianSample(samples.floor);
  const server = medianSample(samples.server);
  const cpuRatio = floor.cpu === undefined || server.cpu === undefined ? undefined : floor.cpu / server.cpu;
  return { name, target, floor, server, ratio: server.rate / floor.rate, cpuRatio };
}

function medianSample(samples: readonly Sample[]): Sample {
  const cpu = samples.flatMap((sample) => sample.cpu ?? []);
  return {
    rate: median(samples.map(({ rate }) => rate)),
    cpu: cpu.length === 0 ? undefined : median(cpu),
    p50: median(samples.map(({ p50 }) => p50)),
    p99: median(samples.map(({ p99 }) => p99)),
  };
}

async function measureProgram(program: Program, corpus: Corpus, effort: Effort): Promise<[Case, Sample][]> {
  const database = await effort.store.createDatabase();
  const partitions = program === 'server' ? ['bench'] : [];
  const profile = program === 'server' ? effort.profile : undefined;
  const child = await startChild({ program, databaseUrl: database.url, partitions, profile });
  const base = program === 'server' ? `${child.url}/bench` : child.url;
  try {
    const ids = await fill(base, corpus);
    const measured: [Case, Sample][] = [];
    for (const one of casesOf(corpus, ids).filter(({ name }) => name.startsWith(effort.only))) {
      await run(base, one, Math.min(WARM_UP_SECONDS, effort.seconds * 2));
      measured.push([one, await measure(child, { base, one, seconds: effort.seconds })]);
    }
    return measured;
  } finally {
    await child.stop();
    await database.remove();
  }
}

/** Reads come first: floor and server then hold exactly the same resources. */
function casesOf(corpus: Corpus, ids: readonly string[]): Case[] {
  return [
    {
      name: 'read by id',
      connections: 16,
      operations: 1,
      target: 0.7,
      calls: ids.map((id) => get(`/Observation/${id}`)),
    },
    {
      name: 'search by one token, page of 20',
      connections: 16,
      operations: 1,
      target: 0.6,
      calls: corpus.codes.map((code) => get(`/Observation?code=${encodeURIComponent(code)}&_count=20`)),
    },
    {
      name: 'create Observation',
      connections: 16,
      operations: 1,
      target: 0.5,
      calls: corpus.observations.map((body) => post('/Observation', body)),
    },
    {
      name: 'create Patient of 3 KB',
      connections: 16,
      operations: 1,
      target: 0.5,
      calls: corpus.patients.map((body) => post('/Patient', body)),
    },
    {
      name: 'transaction of 100, resources',
      connections: 2,
      operations: 100,
      target: 0.5,
      calls: corpus.bundles.map((body) => post('', body)),
    },
  ];
}

function get(path: string): Call {
  return { method: 'GET', path };
}

function post(path: string, body: string): Call {
  return { method: 'POST', path, body };
}

/** Stores seeds, bundles and observations; answers ids of Observations. */
async function fill(base: string, corpus: Corpus): Promise<string[]> {
  await postOne(base, corpus.seeds);
  for (const bundle of corpus.bundles) await postOne(base, bundle);
  const locations: string[] = [];
  for (const body of corpus.observations) locations.push(await postOne(`${base}/Observation`, body));
  return locations.map((location) => /Observation\/([^/]+)/.exec(location)?.[1] ?? '');
}

/** Sends one body; answers its Location. */
export async function postOne(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${text.slice(0, 500)}`);
  return response.headers.get('location') ?? '';
}

async function measure(
  child: Child,
  { base, one, seconds }: { readonly base: string; readonly one: Case; readonly seconds: number },
): Promise<Sample> {
  const before = child.cpu();
  const { requests, latency, duration } = await run(base, one, seconds);
  const after = child.cpu();
  const operations = requests.total * one.operations;
  const cpu = before === undefined || after === undefined ? undefined : (after - before) / operations;
  return { rate: operations / duration, cpu, p50: latency.p50, p99: latency.p99 };
}

/** Drives one case; any answer but success is an error, not a figure. */
async function run(
  base: string,
  { connections, calls }: Pick<Case, 'connections' | 'calls'>,
  seconds: number,
): Promise<autocannon.Result> {
  const root = new URL(base).pathname.replace(/\/$/, '');
  const requests = calls.map(({ method, path, body }) => ({
    method,
    path: `${root}${path}` || '/',
    headers: HEADERS,
    ...(body === undefined ? {} : { body }),
  }));
  const result = await autocannon({ url: base, connections, duration: seconds, requests });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refused and ${result.errors} failed requests`);
  return result;
}

/** Requests per second for a set of URLs, for comparisons outside of the cases; with a body they are POSTs. */
export async function requestRate(
  base: string,
  {
    paths,
    body,
    seconds,
  }: { readonly paths: readonly string[]; readonly body?: string; readonly seconds: number },
): Promise<number> {
  const calls = paths.map((path) => (body === undefined ? get(path) : post(path, body)));
  const { requests, duration } = await run(base, { connections: 16, calls }, seconds);
  return requests.total / duration;
}
