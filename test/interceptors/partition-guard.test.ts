import test from 'ava';
import { partitionGuard } from '../../interceptors/partition-guard.js';
import type { GuardedSelection } from '../../interceptors/partition-guard.js';
import { PATIENT, VALUE_SET, aPartition, aRequest, refused, select, send, serve } from './fixtures.js';

const SELECTED = { partitions: [aPartition(1, 'acme')] };

test('true lets the interaction go on', async (t) => {
  await t.notThrowsAsync(select(partitionGuard({ allow: () => true }), aRequest(), SELECTED));
  await t.notThrowsAsync(select(partitionGuard({ allow: async () => true }), aRequest(), SELECTED));
});

for (const answer of [false, undefined, null, 'yes', 1] as unknown as readonly boolean[]) {
  test(`${JSON.stringify(answer) ?? 'undefined'} is 403`, async (t) => {
    await refused(
      t,
      () => select(partitionGuard({ allow: () => answer }), aRequest(), SELECTED),
      'FORBIDDEN',
    );
    await refused(
      t,
      () => select(partitionGuard({ allow: async () => answer }), aRequest(), SELECTED),
      'FORBIDDEN',
    );
  });
}

test('it judges the request, the target and the partitions', async (t) => {
  const seen: GuardedSelection[] = [];
  const guard = partitionGuard({ allow: (selection) => seen.push(selection) > 0 });
  const request = aRequest({ interaction: 'delete' });
  await select(guard, request, { ...SELECTED, all: true });
  t.is(seen[0]?.request, request);
  t.is(seen[0]?.target.interaction, 'delete');
  t.deepEqual(seen[0]?.partitions, SELECTED.partitions);
  t.true(seen[0]?.all);
});

test('over HTTP, a guarded partition is refused for every interaction, entries of a bundle included', async (t) => {
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    interceptors: [partitionGuard({ allow: exceptBeta })],
  });
  t.is((await send(server, 'acme/Patient', { body: PATIENT })).status, 201);
  for (const path of ['beta/Patient', 'beta/Patient/1', 'beta/_history', 'beta/metadata', '_ALL/Patient']) {
    t.is((await send(server, path)).code, 'FORBIDDEN', path);
  }
  t.is((await send(server, 'beta/Patient', { body: PATIENT })).code, 'FORBIDDEN');
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [] };
  t.is((await send(server, 'beta', { body: bundle })).code, 'FORBIDDEN');
});

test('over HTTP, who may not write DEFAULT may not write a ValueSet under any tenant', async (t) => {
  const server = await serve(t, {
    partitions: ['acme'],
    interceptors: [partitionGuard({ allow: creatingOutsideDefault })],
  });
  t.is((await send(server, 'acme/ValueSet', { body: VALUE_SET })).code, 'FORBIDDEN');
  t.is((await send(server, 'acme/ValueSet')).status, 200);
  t.is((await send(server, 'acme/Patient', { body: PATIENT })).status, 201);
});

function exceptBeta({ partitions }: GuardedSelection): boolean {
  return partitions.every(({ name }) => name !== 'beta');
}

function creatingOutsideDefault({ partitions, target }: GuardedSelection): boolean {
  return target.interaction !== 'create' || partitions.every(({ name }) => name !== 'DEFAULT');
}
