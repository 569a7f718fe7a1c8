import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SignJWT } from 'jose';
import { headerPartition } from '../../interceptors/header-partition.js';
import { requestTenantPartition } from '../../interceptors/request-tenant-partition.js';
import { tenantHeader, urlTenant } from '../../interceptors/tenant-source.js';
import { tokenPartition } from '../../interceptors/token-partition.js';
import type { TokenPartitionOptions } from '../../interceptors/token-partition.js';
import { SUBJECT } from '../../src/index.js';
import type { Interceptor, RequestDetails } from '../../src/index.js';
import {
  PATIENT,
  VALUE_SET,
  aPartition,
  aRequest,
  anIssuer,
  choiceToCreate,
  choiceToRead,
  idsOf,
  refused,
  select,
  send,
  serve,
} from './fixtures.js';
import type { TestIssuer } from './fixtures.js';

function withToken(token: string, changes: Partial<RequestDetails> = {}): RequestDetails {
  const { headers: _, ...rest } = changes;
  return aRequest({ ...rest, headers: { authorization: `Bearer ${token}` } });
}

async function anInterceptor(
  t: ExecutionContext,
  options: Partial<TokenPartitionOptions> = {},
): Promise<{ readonly issuer: TestIssuer; readonly interceptor: Interceptor }> {
  const issuer = await anIssuer(t);
  const { jwksUrl, audience } = issuer;
  return { issuer, interceptor: tokenPartition({ jwksUrl, issuer: issuer.issuer, audience, ...options }) };
}

test('the claim names the partition of reads and creates', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const request = withToken(await issuer.token({ tenant_id: 'acme' }));
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'name', names: ['acme'] });
  t.deepEqual(await choiceToCreate(interceptor, request), { by: 'name', names: ['acme'] });
  const pinned = await choiceToCreate(interceptor, request, VALUE_SET);
  t.deepEqual(pinned, { by: 'default', insteadOf: 'acme' });
});

test('the subject of the token is told to those who keep something for it', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const request = withToken(await issuer.token({ tenant_id: 'acme', sub: 'client-1' }));
  await choiceToRead(interceptor, request);
  t.is(request.attributes.get(SUBJECT), 'client-1');
});

test('the claim can have another name', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t, { claim: 'org' });
  const request = withToken(await issuer.token({ org: 'acme', tenant_id: 'beta' }));
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'name', names: ['acme'] });
});

test('a claim of several tenants reads all of them, and the URL chooses one', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const token = await issuer.token({ tenant_id: ['acme', 'beta'] });
  t.deepEqual(await choiceToRead(interceptor, withToken(token)), { by: 'name', names: ['acme', 'beta'] });
  const chosen = await choiceToRead(interceptor, withToken(token, { urlTenant: 'beta' }));
  t.deepEqual(chosen, { by: 'name', names: ['beta'] });
});

test('the claim _ALL grants every tenant, and reads all only where the request says so', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const token = await issuer.token({ tenant_id: '_ALL' });
  t.deepEqual(await choiceToRead(interceptor, withToken(token)), { by: 'default' });
  t.deepEqual(await choiceToRead(interceptor, withToken(token, { urlTenant: '_ALL' })), { by: 'all' });
  const named = await choiceToRead(interceptor, withToken(token, { urlTenant: 'acme' }));
  t.deepEqual(named, { by: 'name', names: ['acme'] });
});

test('a tenant that is not granted is 403, _ALL and DEFAULT included', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const token = await issuer.token({ tenant_id: 'acme' });
  for (const tenant of ['beta', 'nowhere', '_ALL', 'DEFAULT', 'ACME']) {
    await refused(t, () => choiceToRead(interceptor, withToken(token, { urlTenant: tenant })), 'FORBIDDEN');
    await refused(t, () => choiceToCreate(interceptor, withToken(token, { urlTenant: tenant })), 'FORBIDDEN');
  }
});

test('a request without a token is 401 with a challenge', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const error = await refused(t, () => choiceToRead(interceptor, aRequest()), 'LOGIN_REQUIRED');
  t.is(error.options.headers?.['www-authenticate'], 'Bearer');
  const basic = aRequest({ headers: { authorization: 'Basic YTpi' } });
  await refused(t, () => choiceToRead(interceptor, basic), 'LOGIN_REQUIRED');
  t.is(issuer.fetches(), 0);
});

test('metadata needs no token, and tells nobody which tenants exist', async (t) => {
  const { interceptor } = await anInterceptor(t);
  const request = aRequest({ interaction: 'capabilities', urlTenant: 'nowhere' });
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'default' });
});

test('where no token is required, the next interceptor is asked, but a bad token is still refused', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t, { requireToken: false, sources: [] });
  t.is(await choiceToRead(interceptor, aRequest()), undefined);
  const forged = withToken(await issuer.forgedToken({ tenant_id: 'acme' }));
  await refused(t, () => choiceToRead(interceptor, forged), 'LOGIN_REQUIRED');
});

test('an expired token is 401 and says so', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const token = await issuer.token({ tenant_id: 'acme', exp: Math.floor(Date.now() / 1000) - 60 });
  const error = await refused(t, () => choiceToRead(interceptor, withToken(token)), 'LOGIN_REQUIRED');
  t.regex(error.options.headers?.['www-authenticate'] ?? '', /error="invalid_token".*expired/);
});

const WRONG = {
  'of another issuer': { iss: 'https://elsewhere.example' },
  'for another audience': { aud: 'https://elsewhere.example' },
  'that is not valid yet': { nbf: 4_000_000_000 },
  'that never expires': { exp: undefined },
  'without an audience': { aud: undefined },
} as const;
for (const [what, claims] of Object.entries(WRONG)) {
  test(`a token ${what} is 401`, async (t) => {
    const { issuer, interceptor } = await anInterceptor(t);
    const token = await issuer.token({ tenant_id: 'acme', ...claims } as Record<string, unknown>);
    await refused(t, () => choiceToRead(interceptor, withToken(token)), 'LOGIN_REQUIRED');
  });
}

test('a token that is forged, unsigned, signed with a shared secret, or no token at all is 401', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const [, payload, signature] = (await issuer.token({ tenant_id: 'acme' })).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const shared = await new SignJWT({ tenant_id: 'acme', iss: issuer.issuer, aud: issuer.audience })
    .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode('a shared secret that is long enough for it'));
  const tokens = [
    await issuer.forgedToken({ tenant_id: 'acme' }),
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    shared,
    'abc',
    'a.b.c',
    'two words',
    '',
  ];
  for (const token of tokens) {
    await refused(t, () => choiceToRead(interceptor, withToken(token)), 'LOGIN_REQUIRED');
  }
});

test('a token that was sent twice is 400', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const bearer = `Bearer ${await issuer.token({ tenant_id: 'acme' })}`;
  const request = aRequest({ headers: { authorization: [bearer, bearer] } });
  await refused(t, () => choiceToRead(interceptor, request), 'INVALID_REQUEST');
});

for (const claim of [undefined, '', 7, 'ac me', [], ['acme', 7], ['acme', '_ALL '], {}, null]) {
  test(`the claim ${JSON.stringify(claim) ?? 'that is missing'} is 403`, async (t) => {
    const { issuer, interceptor } = await anInterceptor(t);
    const token = await issuer.token({ tenant_id: claim });
    await refused(t, () => choiceToRead(interceptor, withToken(token)), 'FORBIDDEN');
  });
}

test('while the keys cannot be had, it is 503 and not 401', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const token = await issuer.token({ tenant_id: 'acme' });
  await issuer.stop();
  const error = await refused(t, () => choiceToRead(interceptor, withToken(token)), 'BUSY');
  t.truthy(error.options.headers?.['retry-after']);
});

test('a verified token is remembered, and not beyond its expiry', async (t) => {
  let now = Date.now();
  const { issuer, interceptor } = await anInterceptor(t, { clock: () => now });
  const token = await issuer.token({ tenant_id: 'acme', exp: Math.floor(now / 1000) + 120 });
  t.truthy(await choiceToRead(interceptor, withToken(token)));
  await issuer.stop();
  t.truthy(await choiceToRead(interceptor, withToken(token)));
  t.is(issuer.fetches(), 1);
  now += 130_000;
  await refused(t, () => choiceToRead(interceptor, withToken(token)), 'LOGIN_REQUIRED');
});

test('a refused token is not remembered as a good one', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const forged = withToken(await issuer.forgedToken({ tenant_id: 'acme' }));
  await refused(t, () => choiceToRead(interceptor, forged), 'LOGIN_REQUIRED');
  await refused(t, () => choiceToRead(interceptor, forged), 'LOGIN_REQUIRED');
});

test('a header that is a source must name a granted tenant, and ids what was selected', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t, { sources: [tenantHeader(), urlTenant()] });
  const authorization = `Bearer ${await issuer.token({ tenant_id: ['acme', 'beta'] })}`;
  const request = (name: string, tenant?: string) =>
    aRequest({ urlTenant: tenant, headers: { authorization, 'X-Tenant-ID': name } });
  t.deepEqual(await choiceToRead(interceptor, request('beta')), { by: 'name', names: ['beta'] });
  await refused(t, () => choiceToRead(interceptor, request('gamma')), 'FORBIDDEN');
  await refused(t, () => choiceToRead(interceptor, request('gamma', 'acme')), 'FORBIDDEN');
  await refused(t, () => choiceToRead(interceptor, request('beta', 'acme')), 'TENANT_MISMATCH');
});

test('next to a token, an ids header may only mean what the token grants', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const authorization = `Bearer ${await issuer.token({ tenant_id: 'acme' })}`;
  const request = aRequest({ headers: { authorization, 'X-Request-Partition-IDs': '2' } });
  t.deepEqual(await choiceToRead(interceptor, request), { by: 'name', names: ['acme'] });
  await refused(
    t,
    () => select(headerPartition(), request, { partitions: [aPartition(1, 'acme')] }),
    'FORBIDDEN',
  );
});

test('over HTTP, existing and unknown tenants that are not granted are answered alike', async (t) => {
  const { issuer, interceptor } = await anInterceptor(t);
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    settings: { partitioning: ['interceptors'] },
    interceptors: [requestTenantPartition(), headerPartition(), interceptor],
  });
  const headers = { authorization: `Bearer ${await issuer.token({ tenant_id: 'acme' })}` };
  const made = await send(server, 'acme/Patient', { body: PATIENT, headers });
  t.is(made.status, 201);
  t.deepEqual(idsOf(await send(server, 'Patient', { headers })), [String(made.body['id'])]);
  const answers = await Promise.all(
    ['beta', 'nowhere'].map((tenant) => send(server, `${tenant}/Patient`, { headers })),
  );
  t.deepEqual(
    answers.map(({ status, code }) => [status, code]),
    [
      [403, 'FORBIDDEN'],
      [403, 'FORBIDDEN'],
    ],
  );
  t.deepEqual(answers[0]?.body, answers[1]?.body);
});

test('over HTTP, each token sees its own tenant', async (t) => {
  const issuer = await anIssuer(t);
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    settings: {
      partitioning: ['token', 'url', 'header'],
      tokenJwksUrl: issuer.jwksUrl,
      tokenIssuer: issuer.issuer,
      tokenAudience: issuer.audience,
    },
  });
  const as = async (tenant: string, more: Record<string, string> = {}) => ({
    authorization: `Bearer ${await issuer.token({ tenant_id: tenant })}`,
    ...more,
  });
  const made = await send(server, 'Patient', { body: PATIENT, headers: await as('acme') });
  t.is(made.status, 201);
  const path = `Patient/${String(made.body['id'])}`;
  t.is((await send(server, path, { headers: await as('acme') })).status, 200);
  t.is((await send(server, path, { headers: await as('beta') })).status, 404);
  t.is((await send(server, path)).status, 401);
  t.truthy((await send(server, path)).headers.get('www-authenticate'));
  t.is((await send(server, path, { headers: await as('acme', { 'X-Tenant-ID': 'beta' }) })).status, 403);
  t.is(
    (await send(server, path, { headers: await as('acme', { 'X-Request-Partition-IDs': '2' }) })).status,
    403,
  );
  t.is(
    (await send(server, path, { headers: await as('acme', { 'X-Request-Partition-IDs': '1' }) })).status,
    200,
  );
  t.is((await send(server, 'metadata')).status, 200);
});
