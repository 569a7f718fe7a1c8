import test from 'ava';
import { partitionSources } from '../../interceptors/partition-sources.js';
import { defineInterceptor } from '../../src/index.js';
import { defaultSettings } from '../../src/settings.js';
import type { Settings } from '../../src/settings/schema.js';
import { PATIENT, aRequest, choiceToRead, idsOf, refused, send, serve } from './fixtures.js';
import type { Answer } from './fixtures.js';

const SERVER = {
  partitions: () => {
    throw new Error('nobody asks for the partitions');
  },
};

function sourcesOf(changes: Partial<Settings>) {
  return partitionSources(defaultSettings(changes), SERVER);
}

test('url alone is the interceptor that HAPI knows', (t) => {
  t.deepEqual(
    sourcesOf({}).map(({ name }) => name),
    ['request-tenant-partition'],
  );
});

test('several sources are one interceptor, in the order of the list', async (t) => {
  const [interceptor, ...others] = sourcesOf({ partitioning: ['header', 'url'] });
  t.is(others.length, 0);
  t.is(interceptor?.name, 'tenant-by-header-url');
  if (!interceptor) return;
  const both = aRequest({ urlTenant: 'acme', headers: { 'X-Tenant-ID': 'beta' } });
  await refused(t, () => choiceToRead(interceptor, both), 'TENANT_MISMATCH');
  t.deepEqual(await choiceToRead(interceptor, aRequest()), { by: 'default' });
});

for (const mode of ['interceptors', 'off'] as const) {
  test(`${mode} has none`, (t) => {
    t.deepEqual(sourcesOf({ partitioning: [mode] }), []);
  });
}

test('the settings of the sources count', async (t) => {
  const [interceptor] = sourcesOf({
    partitioning: ['header'],
    tenantHeader: 'X-Clinic',
    allPartitionsTenant: false,
  });
  t.truthy(interceptor);
  if (!interceptor) return;
  const named = aRequest({ headers: { 'x-clinic': 'acme' } });
  t.deepEqual(await choiceToRead(interceptor, named), { by: 'name', names: ['acme'] });
  await refused(
    t,
    () => choiceToRead(interceptor, aRequest({ headers: { 'x-clinic': '_ALL' } })),
    'FORBIDDEN',
  );
});

test('token needs its settings, and partitions with names', (t) => {
  t.throws(() => sourcesOf({ partitioning: ['token'] }), { message: /tokenJwksUrl/ });
  const token = {
    partitioning: ['token'] as const,
    tokenJwksUrl: 'http://localhost/jwks',
    tokenIssuer: 'i',
    tokenAudience: 'a',
  };
  t.throws(() => sourcesOf({ ...token, unnamedPartitions: true }), { message: /names/ });
  t.is(sourcesOf(token)[0]?.name, 'tenant-by-token');
});

test("a first segment that cannot be a tenant is DEFAULT's", async (t) => {
  const seen: string[] = [];
  const recorder = defineInterceptor({
    name: 'recorder',
    hooks: {
      STORAGE_PARTITION_SELECTED: ({ partitions }) => void seen.push(...partitions.map(({ name }) => name)),
    },
  });
  const server = await serve(t, { partitions: ['acme'], interceptors: [recorder] });
  const paths = ['Patient', 'metadata', '$meta', '_history'];
  for (const path of paths) t.is((await send(server, path)).status, 200, path);
  t.deepEqual(
    seen,
    paths.map(() => 'DEFAULT'),
  );
});

test('the base path / takes the tenant from the first segment too', async (t) => {
  const server = await serve(t, { partitions: ['acme', 'beta'], settings: { basePath: '' } });
  const made = await send(server, 'acme/Patient', { body: PATIENT });
  t.is(made.status, 201);
  t.deepEqual(idsOf(await send(server, 'acme/Patient')), [String(made.body['id'])]);
  t.deepEqual(idsOf(await send(server, 'beta/Patient')), []);
});

test('an unknown tenant is 404, and its letter case counts', async (t) => {
  const server = await serve(t, { partitions: ['acme'] });
  for (const path of ['acne/Patient', 'patient/Patient', 'ACME/Patient', 'metadata2/Patient']) {
    t.is((await send(server, path)).code, 'UNKNOWN_PARTITION', path);
  }
});

test('what cannot be a tenant is 400, and never another tenant', async (t) => {
  const server = await serve(t, { partitions: ['acme'] });
  for (const tenant of ['_acme', '..%2facme', 'ac%20me', 'acme%00', 'acme%2e', 'ac%C3%A9', 'acme%20']) {
    t.is((await send(server, `${tenant}/Patient`)).status, 400, tenant);
  }
});

test('everything that is printed carries the tenant of the request', async (t) => {
  const server = await serve(t, { partitions: ['acme'] });
  const made = await send(server, 'acme/Patient', { body: PATIENT });
  const base = `${server.url}/acme`;
  t.true(made.headers.get('location')?.startsWith(`${base}/Patient/`));
  await send(server, 'acme/Patient', { body: PATIENT });
  const page = await send(server, 'acme/Patient?_count=1');
  const links = page.body['link'] as readonly { readonly relation: string; readonly url: string }[];
  t.true(links.some(({ relation }) => relation === 'next'));
  for (const { url } of links) t.true(url.startsWith(base), url);
  for (const { fullUrl } of page.body['entry'] as readonly { readonly fullUrl: string }[]) {
    t.true(fullUrl.startsWith(`${base}/Patient/`), fullUrl);
  }
});

test("an entry of a bundle may carry the request's own tenant, and no other", async (t) => {
  const server = await serve(t, { partitions: ['acme', 'beta'] });
  const batch = (url: string) =>
    send(server, 'acme', {
      body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url } }] },
    });
  t.regex(String(statusOf(await batch(`${server.url}/acme/Patient`))), /^200/);
  t.regex(String(statusOf(await batch(`${server.url}/beta/Patient`))), /^400/);
});

test('partitioning off asks nobody and stores everything in DEFAULT', async (t) => {
  const server = await serve(t, { settings: { partitioning: ['off'] } });
  const made = await send(server, 'Patient', { body: PATIENT });
  t.is(made.status, 201);
  t.is((await send(server, 'Patient')).status, 200);
  t.is((await send(server, 'acme/Patient')).status, 404);
});

function statusOf({ body }: Answer): string | undefined {
  return (body['entry'] as readonly { readonly response?: { readonly status?: string } }[])[0]?.response
    ?.status;
}
