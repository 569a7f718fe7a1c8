import test from 'ava';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import {
  DEFAULT_PARTITION_ID,
  type PartitionAssignment,
  type PartitionId,
  type PartitionScope,
} from '../../src/model/partition.js';
import { LiveSearchParameters } from '../../src/search-parameters/live-search-parameters.js';
import type { ParameterStoreParts } from '../../src/search-parameters/parameter-store.js';
import { PartitionParameters } from '../../src/search-parameters/partition-parameters.js';
import { PublishedParameters } from '../../src/search-parameters/published-parameters.js';

/** A storage without resources that counts how often the parameters of each partition are read. */
function createStorage(settings = new Map<string, string>()) {
  const reads = new Map<number, number>();
  const storage = {
    settings: async (prefix: string) => new Map([...settings].filter(([key]) => key.startsWith(prefix))),
    resources: {
      history: async ({ partitions: [partition = -1] }: { readonly partitions: readonly number[] }) => {
        reads.set(partition, (reads.get(partition) ?? 0) + 1);
        return [];
      },
    },
  } as unknown as ParameterStoreParts['storage'];
  return { storage, reads, settings };
}

function scopeOf(...partitions: readonly number[]): PartitionScope {
  return { partitions, all: false, types: null } as unknown as PartitionScope;
}

function assignmentOf(partition: number): PartitionAssignment {
  return { partition, date: null, types: null } as unknown as PartitionAssignment;
}

function createParameters({ storage }: ReturnType<typeof createStorage>) {
  const parts = { storage, clock: Date.now };
  const shared = new LiveSearchParameters({
    ...parts,
    foundation: new PublishedParameters(createSearchParameterRegistry()),
    scope: scopeOf(DEFAULT_PARTITION_ID),
    assignment: assignmentOf(DEFAULT_PARTITION_ID),
    isInForce: true,
  });
  const parameters = new PartitionParameters({
    ...parts,
    shared,
    isEnabled: true,
    scopeOf: (partition) => scopeOf(partition),
    assignmentOf,
    mostLoaded: 2,
  });
  return { shared, parameters };
}

/** Marks of partitions that hold parameters. */
function marksOf(...partitions: readonly number[]): Map<string, string> {
  return new Map(partitions.map((partition) => [`search-parameters@${partition}:`, 'first']));
}

const [ONE, TWO, THREE, FOUR] = [1, 2, 3, 4] as PartitionId[] as [
  PartitionId,
  PartitionId,
  PartitionId,
  PartitionId,
];

test('parameters of a partition are read when they are first asked for, and once', async (t) => {
  const stored = createStorage(marksOf(ONE, TWO));
  const { shared, parameters } = createParameters(stored);
  await parameters.refresh();
  t.deepEqual([...stored.reads], []);
  t.is(parameters.of(THREE), shared);
  const [first, again] = await Promise.all([parameters.of(ONE), parameters.of(ONE)]);
  t.is(first, again);
  t.is(parameters.of(ONE), first);
  t.deepEqual([...stored.reads], [[ONE, 1]]);
});

test('those that were asked for last stay in memory', async (t) => {
  const stored = createStorage(marksOf(ONE, TWO, THREE));
  const { parameters } = createParameters(stored);
  await parameters.refresh();
  for (const partition of [ONE, TWO, ONE, THREE]) await parameters.of(partition);
  t.false(parameters.of(ONE) instanceof Promise);
  const second = parameters.of(TWO);
  t.true(second instanceof Promise);
  await second;
  t.deepEqual(Object.fromEntries(stored.reads), { 1: 1, 2: 2, 3: 1 });
});

test('a change of one partition holds up nobody else', async (t) => {
  const stored = createStorage(marksOf(ONE, TWO));
  const { parameters } = createParameters(stored);
  await parameters.refresh();
  const { revision } = parameters;
  stored.settings.set('search-parameters@1:', 'second');
  await parameters.refresh();
  t.true(parameters.isChangedSince(revision, [ONE, TWO]));
  t.false(parameters.isChangedSince(revision, [TWO, FOUR]));
});

test('a partition that has gone is forgotten', async (t) => {
  const stored = createStorage(marksOf(ONE));
  const { shared, parameters } = createParameters(stored);
  await parameters.refresh();
  await parameters.of(ONE);
  stored.settings.clear();
  await parameters.refresh();
  t.is(parameters.of(ONE), shared);
});

test('a scope of several partitions, of all or of definitions goes by what is shared', async (t) => {
  const stored = createStorage(marksOf(ONE, TWO));
  const { shared, parameters } = createParameters(stored);
  await parameters.refresh();
  const one = scopeOf(ONE);
  t.not(await parameters.ofScope(one), shared);
  for (const scope of [scopeOf(ONE, TWO), { ...one, all: true }, { ...one, types: new Set(['ValueSet']) }])
    t.is(parameters.ofScope(scope), shared);
});
