import test from 'ava';
import { Client } from 'pg';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';

const HOUR_MS = 3_600_000;

test('drafts of homes go when a server starts, once their makers must be dead, and so does what was not dropped to the end', async (t) => {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>('select current_database() as name');
  const main = rows[0]!.name;
  const [then, now] = [Date.now() - HOUR_MS, Date.now()].map((time) => time.toString(36));
  const schemas = [
    `bulkhead_p3_new_${then}_ab`,
    `bulkhead_pn4_new_${now}_ab`,
    'bulkhead_p5_old_cd',
    'bulkhead_p6',
  ];
  for (const schema of schemas) await client.query(`create schema ${schema}`);
  const databases = [`${main}_p3_new_${then}_ab`, `${main}_p6`];
  for (const name of databases) await client.query(`create database ${name}`);
  const server = await createTestServer({ database });
  await server.stop();
  const left = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace where starts_with(nspname, 'bulkhead_p')
      union all select datname from pg_database where starts_with(datname, $1) order by 1`,
    [`${main}_p`],
  );
  await client.end();
  t.deepEqual(
    left.rows.map(({ name }) => name),
    ['bulkhead_p6', `bulkhead_pn4_new_${now}_ab`, `${main}_p6`].toSorted(),
  );
});
