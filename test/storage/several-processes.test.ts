import test from 'ava';
import { createTestServer, type TestServer } from '../support/test-server.js';
import { createTestDatabase } from '../support/test-database.js';
import { FhirClient } from '../contract/support/fhir-client.js';

/** Two servers on one database know of each other only through it, as two processes do. */
const database = await createTestDatabase();
const first: TestServer = await createTestServer({ database, partitions: ['acme'] });
const second: TestServer = await createTestServer({ database });
test.after.always(async () => {
  await Promise.all([first.stop(), second.stop()]);
  await database.drop();
});

const here = new FhirClient(first.url).tenant('acme');
const there = new FhirClient(second.url).tenant('acme');

test('what one process writes, of a type and by a parameter never used before, the other finds at once', async (t) => {
  const account = { resourceType: 'Account', id: 'a', status: 'active', name: 'household' };
  t.is((await there.send('PUT', 'Account/a', { body: account })).status, 201);
  t.is((await here.get('Account/a')).status, 200);
  const found = await here.get<{ total: number }>('Account?name=household');
  t.is(found.body.total, 1);
  const again = await here.post('Account', account, { 'if-none-exist': 'name=household' });
  t.is(again.status, 200);
});

test('a delete sees references whose path another process was the first to use', async (t) => {
  const service = { resourceType: 'HealthcareService', id: 'h' };
  const schedule = { resourceType: 'Schedule', actor: [{ reference: 'HealthcareService/h' }] };
  t.is((await here.send('PUT', 'HealthcareService/h', { body: service })).status, 201);
  t.is((await there.post('Schedule', schedule)).status, 201);
  t.is((await here.send('DELETE', 'HealthcareService/h')).status, 409);
});

test('a write never lands in the partition that came after the one it meant', async (t) => {
  const gone = await first.bulkhead.partitions.create({ name: 'gone' });
  const patient = new FhirClient(second.url).tenant('gone');
  const until = Date.now() + 5_000;
  while ((await patient.get('Patient')).status !== 200 && Date.now() < until);
  await first.bulkhead.partitions.delete(gone.id);
  const next = await first.bulkhead.partitions.create({ name: 'next' });
  t.not(next.id, gone.id);
  t.is((await patient.post('Patient', { resourceType: 'Patient' })).status, 404);
  const chosen = await first.bulkhead.partitions.create({ id: gone.id, name: 'gone' });
  t.is(chosen.id, gone.id, 'who asks for the id gets it');
});
