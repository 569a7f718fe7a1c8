import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { extractIndexValues } from '../../../src/fhir/extract.js';
import { createSearchParameterRegistry } from '../../../src/fhir/search-parameters.js';
import type {
  PartitionAssignment,
  PartitionId,
  PartitionScope,
  Placement,
} from '../../../src/model/partition.js';
import type { Resource } from '../../../src/model/resource.js';
import type { MainDatabase } from '../../../src/storage/placement/home.js';
import type { MoveProgress } from '../../../src/storage/placement/partition-mover.js';
import { openPlacedStorage } from '../../../src/storage/placement/placed-storage.js';
import { openSqliteDatabase } from '../../../src/storage/sql/sqlite/sqlite-database.js';
import type { Storage, StorageOptions } from '../../../src/storage/storage.js';
import type { StoredJob } from '../../../src/storage/store.js';

const TENANT = 1 as PartitionId;
const NEIGHBOUR = 2 as PartitionId;
const PARAMETERS = createSearchParameterRegistry();

/** Stands for the end of the process: whatever was to come does not come. */
class Killed extends Error {}

/** Counts calls, and throws instead of the one whose turn it is to be killed. */
class Killer {
  calls = 0;
  at = Number.POSITIVE_INFINITY;

  /** The same object, in which every call may be the last. */
  wrap<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...values: readonly unknown[]) => {
          if (++this.calls === this.at) throw new Killed(String(name));
          return Reflect.apply(value, target, values) as unknown;
        };
      },
    });
  }
}

function scopeOf(partition: PartitionId): PartitionScope {
  return { partitions: [partition], all: false } as unknown as PartitionScope;
}

function indexOf(_type: string, text: string) {
  return extractIndexValues(JSON.parse(text) as Resource, PARAMETERS);
}

async function open(t: { teardown(end: () => Promise<void>): void }, killer: Killer): Promise<Storage> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-move-'));
  const options: StorageOptions & { readonly heardMs: number } = {
    url: `sqlite:${join(folder, 'main.db')}`,
    synchronous: 'normal',
    poolSize: 1,
    references: 'same',
    resourceIds: 'partition',
    searchTimeoutMs: 30_000,
    newBlobId: () => crypto.randomUUID(),
    nativePartitions: 0,
    exportConnections: 2,
    maxOpenHomes: 10,
    heardMs: 0,
  };
  const main = await openSqliteDatabase(options);
  const killable: MainDatabase = {
    ...main,
    registry: killer.wrap(main.registry),
    homes: killer.wrap({
      ...methodsOf(main.homes),
      open: async (partition: PartitionId, placement: Placement) => {
        const home = await main.homes.open(partition, placement);
        return { ...home, rows: killer.wrap(home.rows) };
      },
    }),
    home: { ...main.home, rows: killer.wrap(main.home.rows) },
  };
  const storage = await openPlacedStorage(killable, options);
  t.teardown(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });
  return storage;
}

function methodsOf(homes: MainDatabase['homes']): MainDatabase['homes'] {
  return {
    refusal: (placement) => homes.refusal(placement),
    make: (...values) => homes.make(...values),
    exists: (...values) => homes.exists(...values),
    open: (...values) => homes.open(...values),
    remove: (...values) => homes.remove(...values),
    sweep: () => homes.sweep(),
    migrate: (...values) => homes.migrate(...values),
  };
}

async function create(storage: Storage, partition: PartitionId, resource: object): Promise<void> {
  const { resourceType: type, id } = resource as { readonly resourceType: string; readonly id: string };
  const text = JSON.stringify(resource);
  const assignment = { partition, date: '2020-02-02' } as unknown as PartitionAssignment;
  const index = indexOf(type, text);
  const claim = { condition: `identifier=${id}` };
  await storage.resources.write({
    changes: [
      { kind: 'create', type, id, assignment, updated: Date.now(), text, index, references: [], claim },
    ],
  });
}

async function change(storage: Storage, partition: PartitionId, id: string): Promise<void> {
  const [current] = await storage.resources.read(scopeOf(partition), 'Patient', id);
  if (!current) throw new Error(`${id} is not there`);
  const text = JSON.stringify({ resourceType: 'Patient', id, name: [{ family: `V${current.version + 1}` }] });
  const previousIndex = current.text === null ? null : indexOf('Patient', current.text);
  const index = indexOf('Patient', text);
  const updated = Date.now();
  await storage.resources.write({
    changes: [
      { kind: 'update', type: 'Patient', id, current, updated, text, index, previousIndex, references: [] },
    ],
  });
}

async function fill(storage: Storage, partition: PartitionId): Promise<void> {
  for (let index = 0; index < 6; index++) {
    await create(storage, partition, { resourceType: 'Patient', id: `p${index}`, name: [{ family: 'V1' }] });
    const subject = { reference: `Patient/p${index}` };
    await create(storage, partition, {
      resourceType: 'Observation',
      id: `o${index}`,
      status: 'final',
      subject,
    });
  }
  for (const id of ['p1', 'p1', 'p2']) await change(storage, partition, id);
  const assignment = { partition, date: null } as unknown as PartitionAssignment;
  const blob = await storage.blobs.stage(assignment, chunks());
  await storage.resources.write({ changes: [], attaches: [blob] });
}

async function* chunks(): AsyncIterable<Buffer> {
  yield Buffer.alloc(300_000, 5);
}

async function inventory(storage: Storage, partition: PartitionId): Promise<unknown> {
  const scope = scopeOf(partition);
  const history = await storage.resources.history(scope, { count: 1_000 });
  const where = { kind: 'all' as const, of: [] };
  const patients = await storage.search.page(scope, { type: 'Patient', where, sort: [] }, { count: 100 });
  const contents = await storage.useRows(partition, (rows) => rows.contents(partition));
  return { history, patients, contents };
}

function jobOf(to: Placement): StoredJob {
  const parameters = { name: 'tenant', from: to === 'shared' ? 'database' : 'shared', to };
  return { id: 'job', kind: 'partition-move', partition: TENANT, state: 'running', parameters, result: null };
}

/** Runs a move, as often as it is killed, from what was saved last. */
async function run(
  storage: Storage,
  job: StoredJob,
): Promise<{ readonly killed: boolean; readonly job: StoredJob }> {
  let saved = job;
  const save = async (progress: MoveProgress): Promise<void> => {
    saved = { ...job, result: { ...progress } };
  };
  try {
    await save(
      await storage.mover.run(job, { indexOf, copiedTypes: () => [], save, isStopped: () => false }),
    );
    return { killed: false, job: saved };
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return { killed: true, job: saved };
  }
}

test('a move that is killed at any of its steps goes on and ends with everything in its new place', async (t) => {
  const killer = new Killer();
  const storage = await open(t, killer);
  for (const [id, name] of [
    [TENANT, 'tenant'],
    [NEIGHBOUR, 'neighbour'],
  ] as const) {
    await storage.partitions.create({ id, name }, async () => undefined);
    await fill(storage, id);
  }
  const beside = await inventory(storage, NEIGHBOUR);
  let to: Placement = 'database';
  let kills = 0;
  // Every step on the way out, every third one on the way back.
  for (let step = 1; ; step += to === 'shared' ? 3 : 1) {
    killer.calls = 0;
    killer.at = step;
    const first = await run(storage, jobOf(to));
    killer.at = Number.POSITIVE_INFINITY;
    if (first.killed) {
      kills++;
      // Whatever was under way: who comes next finds everything, and can write once the move goes on.
      t.is((await storage.resources.read(scopeOf(TENANT), 'Patient', 'p1')).length, 1, `killed at ${step}`);
      const [ended] = await Promise.all([run(storage, first.job), change(storage, TENANT, 'p1')]);
      t.is((ended.job.result as unknown as MoveProgress).left, 0);
    }
    const after = (await inventory(storage, TENANT)) as { readonly contents: { readonly resources: number } };
    t.is(after.contents.resources, 12);
    const history = await storage.resources.history(scopeOf(TENANT), {
      type: 'Patient',
      id: 'p1',
      count: 1_000,
    });
    t.deepEqual(
      history.map(({ version }) => version),
      Array.from({ length: 3 + kills }, (_, index) => 3 + kills - index),
      `killed at ${step}`,
    );
    t.deepEqual(await inventory(storage, NEIGHBOUR), beside);
    if (!first.killed && to === 'shared') break;
    if (!first.killed) step = -2;
    to = to === 'shared' ? 'database' : 'shared';
    if (first.killed) {
      // Back to where this step began, without being killed.
      await run(storage, jobOf(to));
      to = to === 'shared' ? 'database' : 'shared';
    }
  }
  t.true(kills > 30, `${kills} kills`);
});
