import test from 'ava';
import { PRINCIPAL, SUBJECT } from '../../../src/index.js';
import { defineInterceptor } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';
import { codeOf, openGuarded, PATIENT } from './fixtures.js';
import { AUDIENCE, type Claims, startIssuer } from './issuer.js';

test('without a token everything is 401 with a challenge, but what is open to everybody', async (t) => {
  const { client, server } = await openGuarded(t);
  const paths = ['acme/Patient', 'nowhere/Patient', 'Patient/1', '', '$partition-management-list-partitions'];
  for (const path of paths) {
    const answer = await client.send('GET', path);
    t.is(answer.status, 401, path);
    t.is(answer.headers.get('www-authenticate'), 'Bearer');
    t.is(codeOf(answer), 'LOGIN_REQUIRED');
  }
  t.is((await client.send('POST', 'acme/Patient', { body: PATIENT })).status, 401);
  t.is((await client.send('POST', 'acme', { body: { resourceType: 'Bundle', type: 'batch' } })).status, 401);
  t.is((await client.send('GET', 'metadata')).status, 200);
  const origin = new URL(server.url).origin;
  t.is((await fetch(`${origin}/healthz`)).status, 200);
  t.is((await fetch(`${origin}/readyz`)).status, 200);
});

test('metadata tells nobody without a token which tenants exist', async (t) => {
  const { client } = await openGuarded(t);
  const [known, unknown] = await Promise.all([
    client.send<Record<string, unknown>>('GET', 'acme/metadata'),
    client.send<Record<string, unknown>>('GET', 'nowhere/metadata'),
  ]);
  t.is(known.status, 200);
  t.is(known.text.replaceAll('/acme', ''), unknown.text.replaceAll('/nowhere', ''));
});

test('a token that is believed opens its tenant, and says who asks', async (t) => {
  const seen: unknown[] = [];
  const spy = defineInterceptor({
    name: 'spy',
    hooks: {
      STORAGE_PARTITION_SELECTED: ({ request }) => {
        seen.push(request.attributes.get(SUBJECT), request.attributes.get(PRINCIPAL));
      },
    },
  });
  const { as, issuer } = await openGuarded(t, { interceptors: [spy] });
  const claims = { tenant_id: 'acme', client_id: 'app', patient: 'p1', fhirUser: 'Practitioner/7' };
  const made = await as(claims, 'acme/Patient', { body: PATIENT });
  t.is(made.status, 201, made.text);
  t.is(seen[0], JSON.stringify([issuer.issuer, 'somebody', null]));
  t.like(seen[1], {
    issuer: issuer.issuer,
    subject: 'somebody',
    client: 'app',
    patient: 'p1',
    fhirUser: 'Practitioner/7',
    scopes: ['system/*.cruds'],
    tenants: { kind: 'names', names: ['acme'] },
    admin: false,
  });
});

test('entries of a bundle are asked by whoever sent it', async (t) => {
  const { as } = await openGuarded(t);
  const entry = [{ request: { method: 'POST' as const, url: 'Patient' }, resource: PATIENT }];
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  t.is((await as({ tenant_id: 'acme' }, 'acme', { body: bundle })).status, 200);
  t.is((await as({ tenant_id: 'beta' }, 'acme', { body: bundle })).status, 403);
});

test('two headers Authorization are 400, whatever they say', async (t) => {
  const { server, issuer } = await openGuarded(t);
  const bearer = `Bearer ${await issuer.token({ tenant_id: 'acme' })}`;
  const { pathname, host } = new URL(server.url);
  const head = [
    `GET ${pathname}/acme/Patient HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: ${bearer}`,
    `Authorization: ${bearer}`,
    'Connection: close',
  ];
  const answer = await rawExchange(server.url, `${head.join('\r\n')}\r\n\r\n`);
  t.is(answer.status, 400);
});

test('a token in the URL is 400, also beside one in the header', async (t) => {
  const { as, client, issuer } = await openGuarded(t);
  const token = await issuer.token({ tenant_id: 'acme' });
  t.is((await client.send('GET', `acme/Patient?access_token=${token}`)).status, 400);
  t.is((await as({ tenant_id: 'acme' }, `acme/Patient?access_token=${token}`)).status, 400);
});

test('other schemes and broken tokens are 401', async (t) => {
  const { client } = await openGuarded(t);
  for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer a b', 'Bearer a, Bearer b', 'bearer ü']) {
    const headers = { authorization: Buffer.from(authorization, 'utf8').toString('latin1') };
    t.is((await client.send('GET', 'acme/Patient', { headers })).status, 401, authorization);
  }
});

test('a token is verified once, and remembered until it expires', async (t) => {
  let ahead = 0;
  const { issuer, client } = await openGuarded(t, { clock: () => Date.now() + ahead });
  const token = await issuer.token({ tenant_id: 'acme', exp: Math.floor(Date.now() / 1000) + 120 });
  const headers = { authorization: `Bearer ${token}` };
  t.is((await client.send('GET', 'acme/Patient', { headers })).status, 200);
  issuer.fail();
  t.is((await client.send('GET', 'acme/Patient', { headers })).status, 200);
  ahead += 130_000;
  const late = await client.send('GET', 'acme/Patient', { headers });
  t.is(late.status, 401);
  t.regex(late.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
});

test('a new key is found when a token comes that was signed by it', async (t) => {
  let ahead = 0;
  const { issuer, as } = await openGuarded(t, { clock: () => Date.now() + ahead });
  t.is((await as({ tenant_id: 'acme' }, 'acme/Patient')).status, 200);
  await issuer.rotate();
  ahead += 31_000;
  t.is((await as({ tenant_id: 'acme' }, 'acme/Patient')).status, 200);
  t.is(issuer.fetches(), 2);
});

test('tokens of keys that nobody knows do not make the server ask for each', async (t) => {
  const { issuer, as, client } = await openGuarded(t);
  t.is((await as({ tenant_id: 'acme' }, 'acme/Patient')).status, 200);
  for (let count = 0; count < 20; count++) {
    const token = await issuer.token({ tenant_id: 'acme' }, { kid: `unknown-${count}` });
    const headers = { authorization: `Bearer ${token}` };
    t.is((await client.send('GET', 'acme/Patient', { headers })).status, 401);
  }
  t.is(issuer.fetches(), 1);
});

test('while keys cannot be had it is 503, and nobody is asked again at once', async (t) => {
  const { issuer, as } = await openGuarded(t);
  issuer.fail();
  const answer = await as({ tenant_id: 'acme' }, 'acme/Patient');
  t.is(answer.status, 503);
  t.truthy(answer.headers.get('retry-after'));
  t.notRegex(answer.text, /127\.0\.0\.1|jwks/);
});

test('a token that is no JWT is asked about once, and believed as long as it is active', async (t) => {
  const { issuer, client } = await openGuarded(t);
  const answer = { active: true, aud: AUDIENCE, sub: 'app', scope: 'system/*.cruds', tenant_id: 'acme' };
  issuer.introspected.set('opaque-1', { ...answer, exp: Math.floor(Date.now() / 1000) + 60 });
  issuer.introspected.set('opaque-2', { ...answer, aud: 'https://elsewhere.example' });
  issuer.introspected.set('opaque-3', { ...answer, active: 'true' });
  issuer.introspected.set('opaque-4', { ...answer, iss: 'https://elsewhere.example' });
  issuer.introspected.set('opaque-5', { ...answer, exp: 1 });
  issuer.introspected.set('opaque-6', { ...answer, aud: undefined });
  const status = async (token: string): Promise<number> =>
    (await client.send('GET', 'acme/Patient', { headers: { authorization: `Bearer ${token}` } })).status;
  t.is(await status('opaque-1'), 200);
  t.is(await status('opaque-1'), 200);
  t.is(issuer.introspections(), 1);
  for (const number of [2, 3, 4, 5, 6]) t.is(await status(`opaque-${number}`), 401, `opaque-${number}`);
  t.is(await status('unknown'), 401);
  t.is(await status('unknown'), 401);
  t.is(issuer.introspections(), 7);
  issuer.fail();
  t.is(await status('opaque-7'), 503);
});

test('an issuer that is bound to a partition grants no other, and nobody who manages the server', async (t) => {
  const [own, bound] = await Promise.all([startIssuer(t), startIssuer(t)]);
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    settings: { ...own.settings, tokenIssuers: [{ issuer: bound.issuer, partitions: ['acme'] }] },
  });
  t.teardown(() => server.stop());
  const status = async (claims: Claims, path: string): Promise<number> => {
    const headers = { authorization: `Bearer ${await bound.token(claims)}` };
    return (await new FhirClient(server.url).send('GET', path, { headers })).status;
  };
  t.is(await status({}, 'acme/Patient'), 200);
  t.is(await status({ tenant_id: '_ALL' }, 'acme/Patient'), 200);
  for (const claim of ['beta', '_ALL', ['acme', 'beta'], undefined]) {
    t.is(await status({ tenant_id: claim }, 'beta/Patient'), 403, String(claim));
    t.is(await status({ tenant_id: claim }, '_ALL/Patient'), 403, String(claim));
  }
  t.is(await status({ scope: 'bulkhead.admin' }, '$partition-management-list-partitions'), 403);
  t.is(await status({ iss: own.issuer, tenant_id: 'acme' }, 'acme/Patient'), 401);
});

test('each token sees its own tenant where tokens name tenants', async (t) => {
  const { as } = await openGuarded(t, { settings: { partitioning: ['token', 'url', 'header'] } });
  const made = await as({ tenant_id: 'acme' }, 'Patient', { body: PATIENT });
  t.is(made.status, 201, made.text);
  const path = `Patient/${String((made.body as { id?: string }).id)}`;
  t.is((await as({ tenant_id: 'acme' }, path)).status, 200);
  t.is((await as({ tenant_id: 'beta' }, path)).status, 404);
  t.is((await as({ tenant_id: 'beta' }, `acme/${path}`)).status, 403);
  t.is((await as({}, path)).status, 403);
});

test('a server that asks nobody listens on the loopback address alone, unless it is told to', async (t) => {
  const open = { host: '0.0.0.0' };
  const error = await t.throwsAsync(createTestServer({ settings: open }));
  t.regex(error?.message ?? '', /BULKHEAD_AUTH_OFF_ANYWHERE/);
  const told = await createTestServer({ settings: { ...open, authOffAnywhere: true } });
  await told.stop();
  const issuer = await startIssuer(t);
  const asking = await createTestServer({ settings: { ...open, ...issuer.settings } });
  await asking.stop();
  t.pass();
});
