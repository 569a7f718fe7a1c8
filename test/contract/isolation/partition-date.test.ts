import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { requestTenantPartition, withPartitionDate } from '../../../interceptors/index.js';
import { RESOURCE_TABLES } from '../../../src/storage/sql/tables.js';
import { createTestDatabase } from '../../support/test-database.js';
import { openWorld } from './fixtures.js';

const MS_PER_DAY = 86_400_000;
const DAY = '2024-05-06';

/** SQLite stores a date as days since 1970, PostgreSQL as a date. */
function toDay(stored: unknown): unknown {
  return typeof stored === 'number' ? new Date(stored * MS_PER_DAY).toISOString().slice(0, 10) : stored;
}

/** One resource that fills every table. */
const RESOURCES = [
  { resourceType: 'Organization', id: 'o1', name: 'Clinic' },
  {
    resourceType: 'Patient',
    id: 'p1',
    meta: { source: 'urn:source' },
    identifier: [{ system: 'urn:mrn', value: '1' }],
    name: [{ family: 'Okafor' }],
    birthDate: '1980-04-05',
    managingOrganization: { reference: 'Organization/o1' },
  },
  {
    resourceType: 'Observation',
    id: 'b1',
    status: 'final',
    code: { text: 'weight' },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2024-05-06T07:08:09Z',
    valueQuantity: { value: 70, system: 'http://unitsofmeasure.org', code: 'kg' },
    component: [{ code: { coding: [{ code: 'bone' }] }, valueQuantity: { value: 9 } }],
  },
  {
    resourceType: 'RiskAssessment',
    id: 'r1',
    status: 'final',
    subject: { reference: 'Patient/p1' },
    prediction: [{ probabilityDecimal: 0.5 }],
  },
] as const;

test('partition and date are equal on all rows of a resource, in every table, over its whole life', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const dated = withPartitionDate(requestTenantPartition(), () => DAY);
  const world = await openWorld({
    database,
    settings: { partitioning: ['interceptors'], resourceIds: 'server', fullText: 'on' },
    interceptors: [dated],
  });
  const { client } = world.beta;
  for (const resource of RESOURCES)
    t.is((await client.put(`${resource.resourceType}/${resource.id}`, resource)).status, 201);
  const once = { resourceType: 'Basic', code: { text: 'x' }, identifier: [{ system: 'urn:b', value: '1' }] };
  t.is((await client.post('Basic', once, { 'if-none-exist': 'identifier=urn:b|1' })).status, 201);
  const { body: patient } = await client.get<Patient>('Patient/p1');
  await client.put('Patient/p1', { ...patient, name: [{ family: 'Updated' }], birthDate: '1981-01-01' });
  await client.send('POST', 'Binary', {
    body: 'x'.repeat(300_000),
    headers: { 'content-type': 'text/plain' },
  });
  t.is((await client.put('RiskAssessment/r2', { ...RESOURCES[3], id: 'r2' })).status, 201);
  t.is((await client.delete('RiskAssessment/r1')).status, 204);
  await world.server.stop();

  const places = new Map<string, number>();
  for (const table of RESOURCE_TABLES) {
    const rows = await database.rows(
      `select PARTITION_ID, PARTITION_DATE, count(*) from ${table} group by 1, 2`,
    );
    t.true(rows.length <= 1, table);
    for (const [partition, date, count] of rows) {
      t.deepEqual([partition, toDay(date)], [2, DAY], table);
      places.set(table, Number(count));
    }
  }
  const empty = RESOURCE_TABLES.filter((table) => !places.has(table));
  t.deepEqual(empty, ['HFJ_BINARY_STAGE'], 'every table was filled, but for what is staged for a moment');
});
