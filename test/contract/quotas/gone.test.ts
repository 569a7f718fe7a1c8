import test from 'ava';
import { createEmptyDatabase } from '../../support/test-database.js';
import { storeUnderTest } from '../../support/test-store.js';
import { OWN_PLACEMENTS } from '../placement/fixtures.js';
import { assertError } from '../support/fhir-client.js';
import { ACME, assertExact, openDated, openLimited, patientOf, settled, usageOf } from './fixtures.js';

const OWN = OWN_PLACEMENTS[0]!;

for (const placement of ['shared', OWN] as const) {
  test(`${placement}: a retention gives back what it deletes`, async (t) => {
    const limits = { acme: { resources: 4 } };
    const limited = await openDated(t, limits, { settings: { placement } });
    const { acme, server } = limited;
    for (const id of ['a', 'b', 'c']) {
      const patient = { ...patientOf(id), language: id === 'c' ? 'x-2024-01-01' : 'x-2019-12-31' };
      t.is((await acme.put(`Patient/${id}`, patient)).status, 201);
      t.is((await acme.put(`Patient/${id}`, { ...patient, active: true })).status, 200);
    }
    await acme.delete('Patient/b');
    t.like(await usageOf(acme), { resources: 2 });
    await server.bulkhead.partitions.retain(ACME, '2020-01-01');
    t.like(await usageOf(acme), { resources: 1 });
    await assertExact(t, limited);
  });

  test(`${placement}: what a partition holds moves with it`, async (t) => {
    const limits = { acme: { resources: 3 } };
    const limited = await openLimited(t, limits, { settings: { placement } });
    const { acme, server } = limited;
    await acme.put('Patient/a', patientOf('a'));
    await acme.put('Patient/b', patientOf('b'));
    await acme.put('Patient/a', { ...patientOf('a'), active: true });
    await acme.send('POST', 'Binary', {
      body: 'x'.repeat(450_000),
      headers: { 'content-type': 'text/plain' },
    });
    const before = await usageOf(acme);
    for (const to of placement === 'shared' ? ([OWN, 'shared'] as const) : (['shared', OWN] as const)) {
      await server.bulkhead.partitions.startMove(ACME, to);
      await settled(t, limited);
      t.deepEqual(await usageOf(acme), before);
      assertError(t, await acme.put('Patient/d', patientOf('d')), 429, 'QUOTA_EXCEEDED');
      await assertExact(t, limited);
    }
  });
}

test('a purge forgets what the partition held: whoever gets its id begins with nothing', async (t) => {
  const limited = await openLimited(t, { acme: { resources: 1 } });
  const { acme, server } = limited;
  t.is((await acme.put('Patient/a', patientOf('a'))).status, 201);
  await server.bulkhead.partitions.startPurge(ACME);
  await settled(t, limited);
  await server.bulkhead.partitions.create({ id: ACME, name: 'acme' });
  t.is((await acme.put('Patient/b', patientOf('b'))).status, 201);
  assertError(t, await acme.put('Patient/c', patientOf('c')), 429, 'QUOTA_EXCEEDED');
  await assertExact(t, limited);
});

if (storeUnderTest() === 'postgres') {
  test('a native partition that is emptied at once gives everything back', async (t) => {
    const database = await createEmptyDatabase();
    t.teardown(() => database.drop());
    const settings = { nativePartitions: 4, placement: 'shared' } as const;
    const limited = await openDated(t, { acme: { resources: 2 } }, { database, settings });
    const { acme, server } = limited;
    for (const id of ['a', 'b'])
      t.is((await acme.put(`Patient/${id}`, { ...patientOf(id), language: 'x-2019-12-31' })).status, 201);
    await server.bulkhead.partitions.retain(ACME, '2020-01-01');
    t.like(await usageOf(acme), { resources: 0, bytes: 0 });
    await assertExact(t, limited);
  });
}
