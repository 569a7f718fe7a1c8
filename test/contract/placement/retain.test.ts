import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { defineInterceptor, type RequestDetails } from '../../../src/index.js';
import type { PartitionId, Placement } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { RESOURCE_TABLES } from '../../../src/storage/sql/tables.js';
import { dated } from '../support/dated.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { storeUnderTest } from '../../support/test-store.js';
import { allIds, OWN_PLACEMENTS } from './fixtures.js';

for (const placement of ['shared', ...OWN_PLACEMENTS] as const) {
  test(`${placement}: what is dated before the day goes with every version, and nothing else does`, async (t) => {
    const server = await createTestServer({
      interceptors: [dated],
      settings: { partitioning: ['interceptors'], placement, validation: 'off', fullText: 'on' },
      partitions: ['acme', 'beta'],
    });
    t.teardown(() => server.stop());
    const root = new FhirClient(server.url);
    for (const tenant of ['acme', 'beta'].map((name) => root.tenant(name))) {
      for (const [id, date] of [
        ['old', '2019-12-31'],
        ['new', '2020-01-01'],
        ['none', ''],
      ]) {
        const patient = {
          resourceType: 'Patient',
          id,
          name: [{ family: 'Kept' }],
          ...(date ? { language: `x-${date}` } : {}),
        };
        t.is((await tenant.put(`Patient/${id}`, patient)).status, 201);
        t.is((await tenant.put(`Patient/${id}`, { ...patient, active: true })).status, 200);
      }
      const subject = { reference: 'Patient/old' };
      const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject };
      t.is((await tenant.post('Observation', observation)).status, 201);
    }
    const { partitions } = server.bulkhead;
    const { id } = partitions.read({ name: 'acme' });
    const before = await server.bulkhead.parts.partitions.contents(id);
    const retained = await partitions.retain(id, '2020-01-01');
    t.like(retained, { resources: 1, versions: 1, dangling: 1 });
    t.true(retained.indexRows > 0);
    const after = await server.bulkhead.parts.partitions.contents(id);
    t.is(before.resources - after.resources, 1);
    t.is(before.versions - after.versions, 1);
    t.is(before.indexRows - after.indexRows, retained.indexRows);
    const acme = root.tenant('acme');
    assertError(t, await acme.get('Patient/old'), 404, 'NOT_FOUND');
    assertError(t, await acme.get('Patient/old/_history/1'), 404, 'NOT_FOUND');
    t.is(await acme.count('Patient?family=kept'), 2);
    t.is(await root.tenant('beta').count('Patient?family=kept'), 3);
    t.is(await acme.count('Patient?_content=kept'), 2);
    t.is(await root.tenant('beta').count('Patient?_content=kept'), 3);
    const none = { resources: 0, versions: 0, indexRows: 0, dangling: 1 };
    t.deepEqual(await partitions.retain(id, '2020-01-01'), none);
  });
}

/** A server whose new resources get the date that the test says, and a storage beside it as another process has it. */
async function openDated(t: ExecutionContext, placement: Placement) {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const now = { day: '' };
  const choose = ({ request }: { readonly request: RequestDetails }) => ({
    by: 'name' as const,
    names: [request.urlTenant ?? 'DEFAULT'] as const,
    ...(now.day === '' ? {} : { date: now.day }),
  });
  const byTheDay = defineInterceptor({
    name: 'by-the-day',
    hooks: { STORAGE_PARTITION_IDENTIFY_CREATE: choose, STORAGE_PARTITION_IDENTIFY_READ: choose },
  });
  const server = await createTestServer({
    database,
    interceptors: [byTheDay],
    settings: { partitioning: ['interceptors'], placement, resourceIds: 'server', fullText: 'on' },
    partitions: [{ id: -7, name: 'acme' }, 'beta'],
  });
  t.teardown(() => server.stop());
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  t.teardown(() => storage.close());
  const root = new FhirClient(server.url);
  return { database, server, storage, now, acme: root.tenant('acme'), beta: root.tenant('beta') };
}

const PAYLOAD = 'x'.repeat(600_000);

/** Fills every table: each resource is there twice or more. */
async function fill(client: FhirClient, end: string): Promise<readonly string[]> {
  const patient = {
    resourceType: 'Patient',
    id: `p-${end}`,
    name: [{ family: 'Okafor' }],
    birthDate: '1980',
  };
  await client.put(`Patient/${patient.id}`, patient);
  await client.put(`Patient/${patient.id}`, { ...patient, active: true });
  const code = { coding: [{ system: 'urn:codes', code: 'weight' }] };
  const subject = { reference: `Patient/${patient.id}` };
  const quantity = { value: 70, system: 'http://unitsofmeasure.org', code: 'kg' };
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code,
    subject,
    valueQuantity: quantity,
    component: [{ code, valueQuantity: quantity }],
  };
  const once = { 'if-none-exist': `code=weight&subject=${subject.reference}` };
  const made = await client.post<{ id: string }>('Observation', observation, once);
  const { headers } = await client.send('POST', 'Binary', {
    body: PAYLOAD,
    headers: { 'content-type': 'text/plain' },
  });
  const binary = /Binary\/[^/]+/.exec(headers.get('location') ?? '')?.[0] ?? '';
  return [`Patient/${patient.id}`, `Observation/${made.body.id}`, binary];
}

const perTable = (condition: string): string =>
  RESOURCE_TABLES.map((table) => `select '${table}', count(*) from ${table} where ${condition}`).join(
    ' union all ',
  );

/** Tables in which some home still has a row that the condition holds for. */
async function tablesWith(database: TestDatabase, condition: string): Promise<readonly unknown[]> {
  const rows = await database.rows(perTable(condition));
  return [...new Set(rows.filter(([, count]) => Number(count) > 0).map(([table]) => table))];
}

/** The ids that a placement of its own leaves claimed: they are the whole server's. */
const leftOf = (placement: Placement): readonly string[] =>
  placement === 'shared' ? [] : ['HFJ_RES_ID_CLAIM'];

for (const placement of ['shared', ...OWN_PLACEMENTS] as const) {
  test(`${placement}: no row of any table is left, and the neighbour's are what they were`, async (t) => {
    const { database, server, now, acme, beta } = await openDated(t, placement);
    now.day = '2019-12-31';
    await fill(acme, 'old');
    await fill(beta, 'beta');
    now.day = '2020-01-01';
    const kept = await fill(acme, 'new');
    const everything = '_history?_count=100';
    const before = await beta.get<Bundle>(everything);
    const ofBeta = await database.rows(perTable('PARTITION_ID = 1'));
    await server.bulkhead.partitions.retain(-7, '2020-01-01');
    const isOld = storeUnderTest() === 'sqlite' ? 'PARTITION_DATE < 18262' : `PARTITION_DATE < '2020-01-01'`;
    t.deepEqual(await tablesWith(database, `PARTITION_ID = -7 and ${isOld}`), leftOf(placement));
    for (const path of kept) t.is((await acme.get(path)).status, 200, path);
    t.is(await acme.count('Observation?code=weight&value-quantity=gt1&subject=Patient/p-new'), 1);
    t.is(await acme.count('Observation?component-code-value-quantity=weight$70'), 1);
    const after = await beta.get<Bundle>(everything);
    t.deepEqual(after.body.entry, before.body.entry);
    t.deepEqual(await database.rows(perTable('PARTITION_ID = 1')), ofBeta);
  });

  test(`${placement}: what is written with an old date meanwhile is whole, or has gone as a whole`, async (t) => {
    const { storage, now, acme } = await openDated(t, placement);
    now.day = '2019-12-31';
    await fill(acme, 'old');
    const late = await storage.useRows(-7 as PartitionId, async (rows) => {
      let [early, written]: (readonly string[])[] = [[], []];
      let isPast = false;
      for await (const { resources } of rows.retain(-7 as PartitionId, '2020-01-01', 1)) {
        if (early?.length === 0) early = await fill(acme, 'early');
        isPast ||= resources > 0;
        // All resources have gone; what is left of them is next.
        if (isPast && resources === 0 && written?.length === 0) written = await fill(acme, 'late');
      }
      for (const path of early ?? []) t.is((await acme.get(path)).status, 404, path);
      return written ?? [];
    });
    t.is(late.length, 3);
    for (const path of late.slice(0, 2)) t.is((await acme.get(path)).status, 200, path);
    t.is((await acme.get('Patient/p-late/_history/1')).status, 200);
    t.is(await acme.count('Patient?family=okafor&birthdate=1980'), 1);
    const found = 'Observation?code=weight&subject=Patient/p-late&value-quantity=70';
    t.is(await acme.count(found), 1);
    const again = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
    const once = { 'if-none-exist': 'code=weight&subject=Patient/p-late' };
    t.is((await acme.post('Observation', again, once)).status, 200);
    const { text } = await acme.get(late[2]!, { accept: 'text/plain' });
    t.is(text.length, PAYLOAD.length);
  });

  test(`${placement}: what is kept is found while others go, and after a run that was killed`, async (t) => {
    const { database, server, storage, now, acme } = await openDated(t, placement);
    now.day = '2019-12-31';
    for (const end of ['a', 'b', 'c']) await fill(acme, end);
    now.day = '2020-01-01';
    await fill(acme, 'kept');
    const searches = [
      'Patient?family=okafor&birthdate=1980',
      'Observation?code=weight',
      'Patient?_sort=-_id',
    ];
    const keptOf = async (): Promise<readonly number[]> => {
      const found = searches.map(async (search) => {
        return (await allIds(acme, `${search}&_count=1`)).length;
      });
      return Promise.all(found);
    };
    const kept = { patient: 'Patient/p-kept', search: 'Patient?family=okafor&_id=p-kept' };
    for (let stop = 1; stop < 40; stop += 6) {
      await storage.useRows(-7 as PartitionId, async (rows) => {
        let steps = 0;
        for await (const _ of rows.retain(-7 as PartitionId, '2020-01-01', 1)) if (++steps === stop) break;
      });
      t.is((await acme.get(kept.patient)).status, 200);
      t.is(await acme.count(kept.search), 1);
      for (const count of await keptOf()) t.true(count >= 1, `after ${stop} batches`);
    }
    await server.bulkhead.partitions.retain(-7, '2020-01-01');
    const isOld = storeUnderTest() === 'sqlite' ? 'PARTITION_DATE < 18262' : `PARTITION_DATE < '2020-01-01'`;
    t.deepEqual(await tablesWith(database, `PARTITION_ID = -7 and ${isOld}`), leftOf(placement));
    t.deepEqual(await keptOf(), [1, 1, 1]);
    now.day = '';
    await fill(acme, 'a');
    t.deepEqual(await keptOf(), [2, 2, 2]);
  });
}

test('a day in the future, or none, is refused', async (t) => {
  const server = await createTestServer({ partitions: ['acme'], clock: () => Date.parse('2026-01-02') });
  t.teardown(() => server.stop());
  const { partitions } = server.bulkhead;
  await t.throwsAsync(partitions.retain(1, '2026-01-03'), { message: /in the future/ });
  for (const word of [
    '',
    '02.01.2026',
    '2026-1-2',
    '2026-02-31',
    '2025-02-29',
    '0000-01-01',
    '2026-01-01T00:00:00Z',
    '12026-01-01',
    '-001-01-01',
    "2026-01-01'",
    'x'.repeat(5_000),
  ]) {
    const error = await t.throwsAsync(partitions.retain(1, word), { message: /is no date/ });
    t.true((error?.message.length ?? 0) < 100);
  }
  await t.notThrowsAsync(partitions.retain(1, '0001-01-01'));
  await t.notThrowsAsync(partitions.retain(1, '2026-01-02'));
});
