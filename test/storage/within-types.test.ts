import test from 'ava';
import { DEFAULT_PARTITION_ID, type PartitionScope } from '../../src/model/partition.js';
import type { SearchPlan } from '../../src/storage/search-store.js';
import type { StoredVersion } from '../../src/storage/store.js';
import { withinTypes } from '../../src/storage/within-types.js';
import { deletion, MemoryStores, version } from './memory-stores.js';
import { scopeOf } from './search/fixtures.js';

const DEFAULT = { partition: DEFAULT_PARTITION_ID, rowId: 9 };
const TYPES = new Set(['ValueSet']);

const everything = (...ids: number[]): PartitionScope => ({ ...scopeOf(...ids), types: null });
const definitions = (...ids: number[]): PartitionScope => ({ ...scopeOf(...ids), types: TYPES });

function storesOf(...versions: readonly StoredVersion[]) {
  const memory = new MemoryStores(versions);
  return { memory, within: withinTypes(memory) };
}

const placesOf = (versions: readonly StoredVersion[]): readonly string[] =>
  versions.map(({ partition, version: number }) => `${partition}/${number}`);

test('a scope of all types is served as it is', async (t) => {
  const { memory, within } = storesOf(version('Patient/x', 1), version('ValueSet/x', 1, DEFAULT));
  const scope = everything(0, 1);
  t.is((await within.resources.read(scope, 'Patient', 'x')).length, 1);
  t.is((await within.resources.readVersion(scope, 'Patient', 'x', 1)).length, 1);
  t.is((await within.resources.history(scope, { count: 9 })).length, 2);
  t.is(await within.resources.countHistory(scope, { count: 9 }), 2);
  memory.links.push(version('Patient/x', 1));
  const plan: SearchPlan = { type: 'Patient', where: { kind: 'all', of: [] }, sort: [] };
  t.is((await within.search.page(scope, plan, { count: 9 })).length, 1);
  t.is(memory.plans[0], plan);
});

test('a scope of some types has nothing of others', async (t) => {
  const { memory, within } = storesOf(version('Patient/x', 1), version('ValueSet/x', 1, { rowId: 2 }));
  const scope = definitions(1);
  const { resources, search } = within;
  const seen = async (type: string): Promise<readonly number[]> => [
    (await resources.read(scope, type, 'x')).length,
    (await resources.readVersion(scope, type, 'x', 1)).length,
    (await resources.history(scope, { type, id: 'x', count: 9 })).length,
    (await resources.history(scope, { type, count: 9 })).length,
    await resources.countHistory(scope, { type, count: 9 }),
    await search.count(scope, { type, where: { kind: 'all', of: [] }, sort: [] }),
  ];
  t.deepEqual(await seen('Patient'), [0, 0, 0, 0, 0, 0]);
  t.deepEqual(await seen('ValueSet'), [1, 1, 1, 1, 1, 1]);
  t.deepEqual(await resources.history(scope, { count: 9 }), []);
  t.is(await resources.countHistory(scope, { count: 9 }), 0);
  memory.links.push(version('Patient/x', 1), version('ValueSet/x', 1));
  const query = { direction: 'include', sourceType: 'ValueSet', paths: null, targetType: null } as const;
  const linked = await search.linked(scope, { ...query, from: [1], limit: 9 });
  t.deepEqual(
    linked.map(({ type }) => type),
    ['ValueSet'],
  );
  t.is((await search.linked(everything(1), { ...query, from: [1], limit: 9 })).length, 2);
});

const readFrom = async (...versions: readonly StoredVersion[]): Promise<readonly string[]> =>
  placesOf(await storesOf(...versions).within.resources.read(definitions(1, 0), 'ValueSet', 'x'));

test('a partition that looks into DEFAULT has what it holds itself, else what DEFAULT holds', async (t) => {
  const own = version('ValueSet/x', 1);
  const shared = version('ValueSet/x', 1, DEFAULT);
  t.deepEqual(await readFrom(shared, own), ['1/1']);
  t.deepEqual(await readFrom(shared), ['0/1']);
  t.deepEqual(await readFrom(own), ['1/1']);
  t.deepEqual(await readFrom(shared, deletion('ValueSet/x', 2), own), ['0/1']);
  t.deepEqual(await readFrom(deletion('ValueSet/x', 2, DEFAULT), shared, own), ['1/1']);
  t.deepEqual(await readFrom(deletion('ValueSet/x', 2, DEFAULT), deletion('ValueSet/x', 2)), ['0/2', '1/2']);
  t.deepEqual(await readFrom(), []);
});

test('whoever sees several partitions whole has all that hold an id', async (t) => {
  const { resources } = storesOf(version('ValueSet/x', 1, DEFAULT), version('ValueSet/x', 1)).within;
  const query = { type: 'ValueSet', id: 'x', count: 9 };
  t.is((await resources.read(everything(1, 0), 'ValueSet', 'x')).length, 2);
  t.is((await resources.history(everything(1, 0), query)).length, 2);
  t.is(await resources.countHistory(everything(1, 0), query), 2);
  t.is((await resources.readVersion(everything(1, 0), 'ValueSet', 'x', 1)).length, 2);
});

test('versions of one resource are those of the partition that it is read from', async (t) => {
  const { memory, within } = storesOf(
    version('ValueSet/x', 2, DEFAULT),
    version('ValueSet/x', 2),
    version('ValueSet/x', 1, DEFAULT),
    version('ValueSet/x', 1),
    version('ValueSet/y', 1, { ...DEFAULT, rowId: 3 }),
  );
  const { resources } = within;
  const scope = definitions(1, 0);
  t.deepEqual(placesOf(await resources.readVersion(scope, 'ValueSet', 'x', 1)), ['1/1']);
  t.deepEqual(placesOf(await resources.history(scope, { type: 'ValueSet', id: 'x', count: 9 })), [
    '1/2',
    '1/1',
  ]);
  t.is(await resources.countHistory(scope, { type: 'ValueSet', id: 'x', count: 9 }), 2);
  t.deepEqual(placesOf(await resources.history(scope, { type: 'ValueSet', id: 'y', count: 9 })), ['0/1']);
  t.deepEqual(await resources.history(scope, { type: 'ValueSet', id: 'z', count: 9 }), []);
  memory.asked.length = 0;
  t.is((await resources.history(scope, { type: 'ValueSet', count: 9 })).length, 5);
  t.is((await resources.history(definitions(1), { type: 'ValueSet', id: 'x', count: 9 })).length, 2);
  t.false(memory.asked.includes('read'), 'nobody else can hold it');
});

test('every search is of the types alone', async (t) => {
  const { memory, within } = storesOf(version('Patient/x', 1), version('ValueSet/x', 1, { rowId: 2 }));
  const { search } = within;
  const plan: SearchPlan = { type: ['Patient', 'ValueSet'], where: { kind: 'all', of: [] }, sort: [] };
  const scope = definitions(1);
  t.is((await search.page(scope, plan, { count: 9 })).length, 1);
  t.is((await search.firstPage(scope, plan, { count: 9, countTo: 9 })).rows.length, 1);
  t.is(await search.count(scope, plan), 1);
  t.is((await search.match(scope, plan)).length, 1);
  t.is((await search.explain(scope, plan, { count: 9 })).length, 1);
  t.true(await search.hasStaleCopies(scope, ['ValueSet']));
  await within.resources.write({ changes: [] });
  t.is(memory.asked.at(-1), 'write');
});
