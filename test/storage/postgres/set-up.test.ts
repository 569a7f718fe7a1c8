import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { FhirClient } from '../../contract/support/fhir-client.js';
import { createWorkplace } from '../../cli/fixtures.js';
import { PostgresDatabases } from '../../support/postgres-databases.js';
import { createEmptyDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { connectTo } from './fixtures.js';

/** The database of a login that may make neither roles nor databases; it is granted what `grants` says. */
async function openLimited(t: ExecutionContext, ...grants: readonly string[]): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  const login = `limited_${randomBytes(6).toString('hex')}`;
  const admin = await connectTo(t, PostgresDatabases.ofThisRun().urlOf('postgres'));
  const name = new URL(database.url).pathname.slice(1);
  await admin.query(`create role ${login} login password 'limited'`);
  await admin.query(`grant ${login} to current_user`);
  await admin.query(`alter database ${name} owner to ${login}`);
  for (const role of grants) await admin.query(`grant ${role} to ${login}`);
  t.teardown(async () => {
    await database.drop();
    await admin.query(`drop role ${login}`);
  });
  const url = new URL(database.url);
  url.username = login;
  url.password = 'limited';
  return { ...database, url: url.href, settings: { ...database.settings, databaseUrl: url.href } };
}

test('a login that owns its database and was granted the two roles needs no other right', async (t) => {
  const database = await openLimited(t, 'bulkhead_app, bulkhead_app_many');
  const { run } = await createWorkplace(t, async () => ({ ...database, drop: async () => undefined }));
  t.is((await run('migrate')).exit, 0);
  const server = await createTestServer({
    database,
    partitions: ['acme'],
    settings: { placement: 'shared' },
  });
  t.teardown(() => server.stop());
  const client = new FhirClient(server.url).tenant('acme');
  const { id } = await client.createPatient();
  t.is((await client.get(`Patient/${id}`)).status, 200);
  const { exit, out } = await run('doctor', '--port', '0');
  t.is(exit, 0, out);
  t.regex(out, /^ok +login /m);
  t.regex(out, /^ok +wall +proved/m);
});

test('the doctor says which grants a login lacks', async (t) => {
  const database = await openLimited(t);
  const { run } = await createWorkplace(t, async () => ({ ...database, drop: async () => undefined }));
  const { exit, out } = await run('doctor', '--port', '0');
  t.is(exit, 1);
  t.regex(
    out,
    /^fail +roles +limited_\w+ may not take on bulkhead_app, bulkhead_app_many\. grant bulkhead_app, bulkhead_app_many to limited_/m,
  );
});
