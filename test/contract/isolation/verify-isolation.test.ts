import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import {
  IsolationError,
  type IsolationOptions,
  type IsolationRow,
  plannedAttacks,
  verifyIsolation,
} from '../../../src/testing.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { startIssuer } from '../auth/issuer.js';
import { FhirClient } from '../support/fhir-client.js';

async function open(t: ExecutionContext, options: StoreTestOptions = {}): Promise<TestServer> {
  const server = await createTestServer({ partitions: ['acme', 'beta'], ...options });
  t.teardown(() => server.stop());
  return server;
}

function verify(
  { url }: TestServer,
  options: Partial<IsolationOptions> = {},
): Promise<readonly IsolationRow[]> {
  return verifyIsolation({ url, partitions: ['acme', 'beta'], ...options });
}

function leaksOf(rows: readonly IsolationRow[]): readonly IsolationRow[] {
  return rows.filter(({ verdict }) => verdict === 'leak');
}

function notApplicable(rows: readonly IsolationRow[]): readonly string[] {
  return [...new Set(rows.filter((row) => row.verdict === 'not-applicable').map(({ attack }) => attack))];
}

const NEED_TOKENS = [
  "the own token under the other one's URL",
  'all tenants',
  'no tenant at all',
  'no token',
];

/** Everything that a tenant holds, as types and ids. */
async function heldBy(server: TestServer, tenant: string, headers = {}): Promise<readonly string[]> {
  const { body } = await new FhirClient(server.url).get<Bundle>(`${tenant}/_history?_count=1000`, headers);
  const newest = new Map<string, boolean>();
  for (const { fullUrl = '', resource } of body.entry ?? []) {
    if (!newest.has(fullUrl)) newest.set(fullUrl, resource !== undefined);
  }
  return [...newest].flatMap(([url, isThere]) => (isThere ? [url.replace(/.*\/(?=\w+\/)/, '')] : []));
}

test.serial('a sound server holds against every attack, and is left as it was', async (t) => {
  const server = await open(t);
  const client = new FhirClient(server.url);
  for (const tenant of ['acme', 'beta']) {
    await client.put(`${tenant}/Patient/kept`, { resourceType: 'Patient', id: 'kept', gender: 'male' });
  }
  const rows = await verify(server);
  t.deepEqual(leaksOf(rows), []);
  t.deepEqual(notApplicable(rows), NEED_TOKENS);
  t.is(rows.length, plannedAttacks().length * 2);
  for (const tenant of ['acme', 'beta']) t.deepEqual(await heldBy(server, tenant), ['Patient/kept']);
});

test.serial('with tokens all attacks can be tried, and none succeeds', async (t) => {
  const issuer = await startIssuer(t);
  const server = await open(t, {
    settings: { ...issuer.settings, partitioning: ['url', 'header', 'token'] },
  });
  const tokens = [
    await issuer.token({ tenant_id: 'acme' }),
    await issuer.token({ tenant_id: 'beta' }),
  ] as const;
  const rows = await verify(server, { tokens });
  t.deepEqual(leaksOf(rows), []);
  t.deepEqual(notApplicable(rows), ['metrics']);
  const authorization = `Bearer ${tokens[1]}`;
  t.deepEqual(await heldBy(server, 'beta', { authorization }), []);
  const unnamed = await verify(server, { tokens, tenantIn: 'token' });
  t.deepEqual(leaksOf(unnamed), []);
});

test.serial('tenants may be named by a header', async (t) => {
  const server = await open(t, { settings: { partitioning: ['header'] } });
  const rows = await verify(server, { tenantIn: 'header' });
  t.deepEqual(leaksOf(rows), []);
});

test.serial('what cannot be tried is refused before anything is written', async (t) => {
  const server = await open(t);
  const refused = async (options: Partial<IsolationOptions>, message: RegExp): Promise<void> => {
    const error = await t.throwsAsync(verify(server, options), { instanceOf: IsolationError });
    t.regex(error.message, message);
  };
  await refused({ partitions: ['acme', 'nobody'] }, /nobody of http.* cannot be used: 404/);
  await refused({ partitions: ['acme', 'acme'] }, /Two different partitions/);
  await refused({ partitions: ['acme', '_ALL'] }, /is all partitions/);
  await refused({ url: 'ftp://example.org' }, /is not a URL/);
  await refused({ url: 'http://127.0.0.1:1/fhir' }, /gave no answer/);
  await refused({ tenantIn: 'token' }, /one for each partition/);
  t.deepEqual(await heldBy(server, 'acme'), []);
});

test.serial('a run that is stopped takes away what it has written', async (t) => {
  const server = await open(t);
  const stop = new AbortController();
  const rows = await verify(server, { signal: stop.signal, onRow: () => stop.abort() });
  t.is(rows.length, 1);
  for (const tenant of ['acme', 'beta']) t.deepEqual(await heldBy(server, tenant), []);
});

test.serial('a run that fails in the middle takes away what it has written', async (t) => {
  const server = await open(t);
  await t.throwsAsync(verify(server, { onRow: failing }), { message: 'held' });
  for (const tenant of ['acme', 'beta']) t.deepEqual(await heldBy(server, tenant), []);
});

function failing({ verdict }: IsolationRow): never {
  throw new Error(verdict);
}
