import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { PartitionId } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError } from '../support/fhir-client.js';
import { createPlaced, manage, openServer, OWN_PLACEMENTS } from './fixtures.js';

const ID = 1 as PartitionId;
/** Until another server has heard of a change. */
const HEARD_MS = 1_200;

for (const placement of OWN_PLACEMENTS) {
  test(`${placement}: writers are let in again where whoever kept them out was killed`, async (t) => {
    const database = await createTestDatabase();
    t.teardown(() => database.drop());
    const { root, server } = await openServer(t, { database });
    const own = await createPlaced(t, root, 'own', placement);
    const killed = await openStorage(toStorageOptions(server.bulkhead.parts.settings, Date.now));
    await killed.useRows(ID, (rows) => rows.setState(ID, 'paused'));
    await killed.close();
    const puts = ['a', 'b', 'c'].map((id) => own.put(`Patient/${id}`, { resourceType: 'Patient', id }));
    for (const { status, text } of await Promise.all(puts)) t.is(status, 201, text);
    t.is((await manage(root, 'delete-partition', { id: 1 })).status, 409);
    t.is(await own.count('Patient'), 3);
  });

  test(`${placement}: a home that another server has replaced is neither read nor written`, async (t) => {
    const database = await createTestDatabase();
    t.teardown(() => database.drop());
    const [first, second] = [await openServer(t, { database }), await openServer(t, { database })];
    const here = await createPlaced(t, first.root, 'own', placement);
    const there = second.root.tenant('own');
    await pause(HEARD_MS);
    t.is((await there.put('Patient/old', { resourceType: 'Patient', id: 'old' })).status, 201);
    await first.server.bulkhead.partitions.startPurge(1);
    for (let tries = 0; ; tries++) {
      const { status, text } = await manage(first.root, 'create-partition', {
        id: 1,
        name: 'own',
        placement,
      });
      if (status === 200) break;
      t.true(tries < 200, text);
      await pause(20);
    }
    await pause(HEARD_MS);
    assertError(t, await there.get('Patient/old'), 404, 'NOT_FOUND');
    t.is((await there.put('Patient/new', { resourceType: 'Patient', id: 'new' })).status, 201);
    t.is((await here.get('Patient/new')).status, 200);
    t.is(await here.count('Patient'), 1);
  });

  test(`${placement}: a server that is stopped after the switch of a move leaves nothing in the old place`, async (t) => {
    const database = await createTestDatabase();
    t.teardown(() => database.drop());
    const first = await openServer(t, { database });
    const own = await createPlaced(t, first.root, 'own', 'shared');
    t.is((await own.put('Patient/a', { resourceType: 'Patient', id: 'a' })).status, 201);
    const { partitions } = first.server.bulkhead;
    await partitions.startMove(ID, placement);
    for (let tries = 0; partitions.read({ id: ID }).placement !== placement; tries++) {
      t.true(tries < 1_000);
      await pause(10);
    }
    await first.server.stop();
    const { server, root } = await openServer(t, { database });
    const move = async () =>
      (await server.bulkhead.parts.partitions.jobs()).find(({ partition }) => partition === ID);
    for (let tries = 0; (await move())?.state === 'running'; tries++) {
      t.true(tries < 1_000);
      await pause(10);
    }
    t.is((await move())?.result?.['left'], 0);
    t.is(await root.tenant('own').count('Patient'), 1);
  });
}
