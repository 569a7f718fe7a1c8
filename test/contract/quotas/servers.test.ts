import test from 'ava';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { ACME, assertExact, change, bundleOf, openLimited, patientOf, tally, usageOf } from './fixtures.js';

const PATIENTS = 40;

test('writers at the limit never exceed it, on two servers at once', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const limits = { acme: { resources: 25 } };
  const one = await openLimited(t, limits, { database });
  const two = await openLimited(t, limits, { database, partitions: [] });
  const answers = await Promise.all(
    Array.from({ length: PATIENTS }, (_, at) =>
      (at % 2 === 0 ? one : two).acme.put(`Patient/p${at}`, patientOf(`p${at}`)),
    ),
  );
  t.deepEqual(tally(answers), { 201: 25, 429: PATIENTS - 25 });
  t.is(await one.acme.count('Patient'), 25);
  const mixed = await Promise.all(
    Array.from({ length: PATIENTS }, (_, at) => {
      const { acme } = at % 3 === 0 ? one : two;
      if (at % 4 === 0) return acme.delete(`Patient/p${at}`);
      if (at % 4 === 1) return acme.post('', bundleOf('transaction', { puts: [`q${at}`, `r${at}`] }));
      return acme.put(`Patient/p${at}`, { ...patientOf(`p${at}`), active: true });
    }),
  );
  t.deepEqual(
    Object.keys(tally(mixed)).filter((status) => status >= '5'),
    [],
  );
  t.true((await one.acme.count('Patient')) <= 25);
  await assertExact(t, one);
  await assertExact(t, two);
});

test('a server without quotas keeps what another one has begun to count, and refuses nothing', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const limited = await openLimited(t, { acme: { resources: 2 } }, { database });
  const plain = await createTestServer({ database, settings: { validation: 'off' } });
  t.teardown(() => plain.stop());
  const other = new FhirClient(plain.url).tenant('acme');
  t.is((await other.put('Patient/before', patientOf('before'))).status, 201);
  t.is((await limited.acme.put('Patient/a', patientOf('a'))).status, 201);
  for (const id of ['b', 'c']) t.is((await other.put(`Patient/${id}`, patientOf(id))).status, 201);
  t.is((await other.post('', bundleOf('transaction', { puts: ['d', 'a'], deletes: ['b'] }))).status, 200);
  assertError(t, await limited.acme.put('Patient/e', patientOf('e')), 429, 'QUOTA_EXCEEDED');
  t.like(await usageOf(limited.acme), { resources: 4 });
  await assertExact(t, limited);
});

test('what was stored before the first quota is counted once, whoever writes meanwhile', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const plain = await createTestServer({
    database,
    partitions: ['acme', 'beta'],
    settings: { validation: 'off' },
  });
  t.teardown(() => plain.stop());
  const early = new FhirClient(plain.url).tenant('acme');
  const puts = Array.from({ length: 200 }, (_, at) => `p${at}`);
  t.is((await early.post('', bundleOf('transaction', { puts }))).status, 200);
  t.is((await early.post('', bundleOf('transaction', { puts: puts.slice(0, 50) }))).status, 200);
  await early.delete('Patient/p0');
  const limited = await openLimited(t, { acme: { resources: 1_000 } }, { database, partitions: [] });
  const writers = Array.from({ length: 60 }, (_, at) => {
    const client = at % 2 === 0 ? early : limited.acme;
    return client.put(`Patient/w${at % 45}`, patientOf(`w${at % 45}`, at));
  });
  t.deepEqual(Object.keys(tally(await Promise.all(writers))).toSorted(), ['200', '201']);
  t.like(await usageOf(limited.acme), { resources: 199 + 45 });
  await assertExact(t, limited);
});

test('a server that starts again goes by the same numbers, and needs no count', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const limits = { acme: { resources: 2 } };
  const first = await openLimited(t, limits, { database });
  await first.acme.put('Patient/a', patientOf('a'));
  await first.acme.put('Patient/b', patientOf('b'));
  const kept = await first.server.bulkhead.parts.usages.read(ACME);
  await first.server.stop();
  const second = await openLimited(t, limits, { database, partitions: [] });
  t.deepEqual(await second.server.bulkhead.parts.usages.read(ACME), kept);
  assertError(t, await second.acme.put('Patient/c', patientOf('c')), 429, 'QUOTA_EXCEEDED');
});

test('a count that was killed is done anew', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const limited = await openLimited(t, {}, { database, settings: { placement: 'shared' } });
  await limited.acme.put('Patient/a', patientOf('a'));
  await change(
    database.url,
    `insert into HFJ_PARTITION_USAGE (PARTITION_ID, USED_RESOURCES, USED_BYTES, USED_COUNTED, COUNT_TOKEN, COUNT_SEEN)
      values (${ACME}, 0, 0, 0, 'killed', 1)`,
  );
  await limited.acme.put('Patient/b', patientOf('b'));
  t.deepEqual((await limited.server.bulkhead.parts.usages.count(ACME))?.usage.resources, 2);
  await assertExact(t, limited);
});
