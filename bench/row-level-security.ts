/**
 * `npm run bench:rls`: what the second wall costs. The same reads and searches, as the server's storage writes them,
 * with the policies of row-level security and without any, in turns, on the PostgreSQL that npm brings. One request
 * after another, so that a figure is the time from the call to the rows, in microseconds.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { normalizeString } from '../src/fhir/normalize.js';
import type { PartitionScope } from '../src/model/partition.js';
import type { Resource } from '../src/model/resource.js';
import { createBulkhead } from '../src/server.js';
import { toStorageOptions } from '../src/storage-options.js';
import { openStorage } from '../src/storage/open-storage.js';
import type { Condition, SearchPlan } from '../src/storage/search-store.js';
import { PARTITIONED_TABLES } from '../src/storage/sql/tables.js';
import type { Storage } from '../src/storage/storage.js';
import { createTestServer } from '../src/testing.js';
import { openBenchStore } from './bench-store.js';
import { median, percentile } from './median.js';

const PARTITIONS = 100;
const PATIENTS = 20;
const OBSERVATIONS = 80;
const SCOPES = [1, 2, 10, 100];
const ROUNDS = 15;
/** Calls in a round, and those before it that fill caches and plans. */
const CALLS = 40;
const WARM_UP = 10;
const PAGE = { count: 20 };

/** Reads in a scope; `turn` picks what is read. */
interface Case {
  readonly name: string;
  readonly run: (storage: Storage, scope: PartitionScope, turn: number) => Promise<readonly unknown[]>;
}

function index(kind: 'token' | 'string', type: string, path: string, test: object): Condition {
  return { kind: 'index', index: kind, type, paths: [path], tests: [test] } as Condition;
}

function plan(type: string, where: Condition): SearchPlan {
  return { type, where, sort: [] };
}

const NAMED = index('string', 'Patient', 'name.family', {
  match: 'prefix',
  normalized: normalizeString('Family7'),
});
const CASES: readonly Case[] = [
  {
    name: 'read by id',
    run: ({ resources }, scope, turn) => resources.read(scope, 'Observation', `o${turn % OBSERVATIONS}`),
  },
  {
    name: 'token, page of 20',
    run: ({ search }, scope, turn) => {
      const test = { system: 'urn:codes', value: `c${turn % 4}` };
      return search.page(scope, plan('Observation', index('token', 'Observation', 'code', test)), PAGE);
    },
  },
  {
    name: 'chain, page of 20',
    run: ({ search }, scope) => {
      const chain: Condition = {
        kind: 'chain',
        type: 'Observation',
        paths: ['subject'],
        targets: [{ type: 'Patient', where: NAMED }],
      };
      return search.page(scope, plan('Observation', chain), PAGE);
    },
  },
];

async function main(): Promise<void> {
  const store = await openBenchStore('postgres');
  try {
    const { url } = await store.createDatabase();
    const ids = await fill(url);
    const owner = new pg.Client({ connectionString: url });
    await owner.connect();
    await owner.query('vacuum analyze');
    const bulkhead = await createBulkhead({ settings: settingsFor(url) });
    await bulkhead.stop();
    const storage = await openStorage(toStorageOptions(bulkhead.settings, Date.now));
    await measure(storage, owner, ids);
    await storage.close();
    await owner.end();
  } finally {
    store.stop();
  }
}

function settingsFor(databaseUrl: string) {
  return { databaseUrl, logLevel: 'silent', port: 0 } as const;
}

/** The same resources in each partition. Answers the partitions' ids. */
async function fill(databaseUrl: string): Promise<readonly number[]> {
  const names = Array.from({ length: PARTITIONS }, (_, number) => `p${number}`);
  const server = await createTestServer({ partitions: names, settings: settingsFor(databaseUrl) });
  for (const name of names) {
    const response = await server.fetch(name, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: entries() }),
    });
    if (response.status !== 200) throw new Error(await response.text());
  }
  const ids = server.bulkhead.partitions.list().map(({ id }) => id as number);
  await server.stop();
  return ids.filter((id) => id !== 0);
}

function put(resource: Resource): object {
  return { resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } };
}

function entries(): readonly object[] {
  const patients = Array.from({ length: PATIENTS }, (_, number) =>
    put({ resourceType: 'Patient', id: `p${number}`, name: [{ family: `Family${number}` }] }),
  );
  const observations = Array.from({ length: OBSERVATIONS }, (_, number) => {
    const code = { coding: [{ system: 'urn:codes', code: `c${number % 4}` }] };
    const subject = { reference: `Patient/p${number % PATIENTS}` };
    const note = [{ text: randomUUID() }];
    return put({ resourceType: 'Observation', id: `o${number}`, status: 'final', code, subject, note });
  });
  return [...patients, ...observations];
}

async function measure(storage: Storage, owner: pg.Client, ids: readonly number[]): Promise<void> {
  print(['', 'partitions', 'without', 'with', 'ratio']);
  for (const one of CASES) {
    for (const size of SCOPES) {
      const scope = { partitions: ids.slice(0, size), all: false } as unknown as PartitionScope;
      const times = { without: [] as number[], with: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        await setPolicies(owner, 'disable');
        times.without.push(await timeOf(one, storage, scope));
        await setPolicies(owner, 'enable');
        times.with.push(await timeOf(one, storage, scope));
      }
      const [without, walled] = [median(times.without), median(times.with)];
      print([one.name, size, without.toFixed(0), walled.toFixed(0), (walled / without).toFixed(2)]);
    }
  }
}

async function setPolicies(owner: pg.Client, how: 'enable' | 'disable'): Promise<void> {
  for (const table of PARTITIONED_TABLES) await owner.query(`alter table ${table} ${how} row level security`);
}

/** The fastest tenth of a round, which others on the machine disturb least, in microseconds. */
async function timeOf({ name, run }: Case, storage: Storage, scope: PartitionScope): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < WARM_UP + CALLS; turn++) {
    const begin = process.hrtime.bigint();
    const rows = await run(storage, scope, turn);
    if (turn >= WARM_UP) times.push(Number(process.hrtime.bigint() - begin) / 1_000);
    if (rows.length === 0) throw new Error(`${name} finds nothing.`);
  }
  return percentile(times, 0.1);
}

function print(cells: readonly (string | number)[]): void {
  const [name, ...others] = cells.map(String);
  process.stdout.write(`${name!.padEnd(20)}${others.map((cell) => cell.padStart(12)).join('')}\n`);
}

await main();
