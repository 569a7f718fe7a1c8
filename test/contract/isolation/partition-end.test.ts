import test from 'ava';
import type { Bundle, Parameters } from 'fhir/r4.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { assertError } from '../support/fhir-client.js';
import { assertNothingOf, commonResources, openWorld, store, wholeHistory, type World } from './fixtures.js';

const NOTHING = { resources: 0, versions: 0, indexRows: 0 };

function remove({ root }: World, id: number, purge: boolean) {
  const parameter = [
    { name: 'id', valueInteger: id },
    { name: 'purge', valueBoolean: purge },
  ];
  return root.post<Parameters>('$partition-management-delete-partition', {
    resourceType: 'Parameters',
    parameter,
  });
}

async function untilPurged({ server }: World, id: number): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const jobs = await server.bulkhead.parts.partitions.jobs();
    if (jobs.some(({ partition, state }) => partition === id && state === 'done')) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the purge does not end');
}

test('nothing is written into a partition that is being deleted', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.server.stop());
  const { server, root } = world;
  for (let turn = 0; turn < 15; turn++) {
    const { id, name } = await server.bulkhead.partitions.create({ name: `short-${turn}` });
    const client = root.tenant(name);
    const put = (index: number) =>
      client.put(`Patient/p${index}`, { resourceType: 'Patient', id: `p${index}`, active: true });
    const [removed, ...written] = await Promise.all([remove(world, id, false), ...[1, 2, 3, 4, 5].map(put)]);
    const contents = await server.bulkhead.parts.partitions.contents(id as PartitionId);
    if (removed.status === 200) t.deepEqual(contents, NOTHING);
    else t.true(contents.resources > 0, removed.text);
    for (const { status } of written) t.true(status === 201 || status === 404, String(status));
    t.is(contents.resources, written.filter(({ status }) => status === 201).length);
  }
});

test('a partition that holds something is not deleted, and says how much it holds', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.server.stop());
  await store(world.acme, ...commonResources(world.acme));
  const refused = await remove(world, 1, false);
  assertError(t, refused, 409, 'PARTITION_NOT_EMPTY');
  t.regex(refused.text, /5 resources/);
  assertNothingOf(t, refused, world.acme);
});

test('a purge takes everything of its partition and nothing of another', async (t) => {
  const world = await openWorld({ settings: { fullText: 'on' } });
  t.teardown(() => world.server.stop());
  const { acme, beta, root, server } = world;
  for (const tenant of [acme, beta]) await store(tenant, ...commonResources(tenant));
  const page = await beta.client.get<Bundle>('_history?_count=1');
  const next = page.body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  const before = await wholeHistory(acme);
  t.is((await remove(world, 2, true)).status, 200);
  assertError(t, await beta.client.get('Patient/p1'), 404, 'UNKNOWN_PARTITION');
  assertError(t, await beta.client.post('Patient', { resourceType: 'Patient' }), 404, 'UNKNOWN_PARTITION');
  await untilPurged(world, 2);
  const { partitions } = server.bulkhead.parts;
  t.deepEqual(await partitions.contents(2 as PartitionId), NOTHING);
  t.is(await wholeHistory(acme), before);
  t.is(await acme.client.count('Patient?_content=okafor'), 1);
  assertError(t, await root.get(next), 404, 'UNKNOWN_PARTITION');
  await server.bulkhead.partitions.create({ id: 2, name: 'beta' });
  const reborn = await beta.client.get<Bundle>('_history');
  t.is(reborn.body.total, 0, 'who gets the id next inherits nothing');
  t.is(await beta.client.count('Patient?_content=okafor'), 0);
  t.deepEqual((await beta.client.get<Parameters>('$meta')).body.parameter?.[0]?.valueMeta ?? {}, {});
});

test('content that is on its way into a partition ends with it', async (t) => {
  const world = await openWorld();
  t.teardown(() => world.server.stop());
  const piece = new Uint8Array(600_000).fill(120);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(piece);
      await untilStaged(world);
      await remove(world, 2, true);
      await untilPurged(world, 2);
      controller.enqueue(piece);
      controller.close();
    },
  });
  const headers = { 'content-type': 'application/octet-stream' };
  const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
  const answer = await fetch(`${world.beta.client.base}/Binary`, init);
  t.is(answer.status, 404, await answer.text());
  t.deepEqual(await world.server.bulkhead.parts.partitions.contents(2 as PartitionId), NOTHING);
});

async function untilStaged({ server }: World): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const { indexRows } = await server.bulkhead.parts.partitions.contents(2 as PartitionId);
    if (indexRows > 1) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('nothing is staged');
}
