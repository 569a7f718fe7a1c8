import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { FhirClient } from '../../contract/support/fhir-client.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';

test('the files of a database are for the user of the server alone, those of partitions too', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const server = await createTestServer({ database, settings: { placement: 'database' } });
  t.teardown(() => server.stop());
  await server.bulkhead.partitions.create({ name: 'acme' });
  const client = new FhirClient(server.url);
  t.is((await client.tenant('acme').post('Patient', { resourceType: 'Patient' })).status, 201);
  const file = database.url.replace('sqlite:', '');
  const folder = dirname(file);
  const files = readdirSync(folder).filter((name) => name.startsWith(basename(file, '.db')));
  t.true(files.includes(basename(file)));
  t.true(files.some((name) => name.endsWith('-wal')));
  t.true(files.length > 3, 'the partition has files of its own');
  for (const name of files) t.is(statSync(join(folder, name)).mode & 0o777, 0o600, name);
});
