import test from 'ava';
import { decodeJwt, decodeProtectedHeader, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import {
  askToken,
  assertion,
  formOf,
  keySetOf,
  makeKey,
  openTokenServer,
  send,
  tokenUrl,
} from './fixtures.js';

const [rsa, elliptic] = await Promise.all([makeKey('RS384'), makeKey('ES384')]);
const world = await openTokenServer();
test.after.always(() => world.server.stop());

const { server, root, acme, beta } = world;
const jwks = keySetOf(rsa, elliptic);
const SCOPE = 'system/Patient.rs system/Observation.cruds system/Group.read';

for (const key of [rsa, elliptic]) {
  test(`a client that signs with ${key.alg} gets a token for its tenant`, async (t) => {
    const client = await world.register('acme', { scope: 'system/*.rs', jwks });
    const { status, headers, body } = await askToken(acme, key, client);
    t.is(status, 200);
    t.is(headers.get('cache-control'), 'no-store');
    t.is(headers.get('pragma'), 'no-cache');
    t.is(headers.get('content-type'), 'application/json');
    t.is(body['token_type'], 'bearer');
    t.is(body['expires_in'], 300);
    t.is(body['scope'], 'system/*.rs');
    t.deepEqual(Object.keys(body).toSorted(), ['access_token', 'expires_in', 'scope', 'token_type']);
  });
}

test('a token says for whom, for what, where and for how long, and is signed with a published key', async (t) => {
  const client = await world.register('acme', { scope: SCOPE, jwks });
  const { body } = await askToken(acme, rsa, client, 'system/Patient.rs');
  const token = String(body['access_token']);
  t.is(decodeProtectedHeader(token).typ, 'at+jwt');
  const published = await (await fetch(`${root.base}/auth/jwks`)).json();
  const keys = createLocalJWKSet(published as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['ES384'],
    issuer: root.base,
    audience: root.base,
  });
  t.is(payload.sub, client);
  t.is(payload['client_id'], client);
  t.is(payload['scope'], 'system/Patient.rs');
  t.deepEqual(payload['tenant_id'], ['acme']);
  t.is(Number(payload.exp) - Number(payload.iat), 300);
  t.truthy(payload.jti);
});

test('published keys have no private part', async (t) => {
  const { keys } = (await (await fetch(`${root.base}/auth/jwks`)).json()) as JSONWebKeySet;
  t.true(keys.length > 0);
  for (const key of keys)
    t.deepEqual(Object.keys(key).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('a scope is narrowed to what is registered', async (t) => {
  const client = await world.register('acme', { scope: SCOPE, jwks });
  const scopes: Readonly<Record<string, string>> = {
    'system/Patient.rs': 'system/Patient.rs',
    'system/Patient.cruds': 'system/Patient.rs',
    'system/*.rs': 'system/Patient.rs system/Observation.rs system/Group.rs',
    'system/Patient.read': 'system/Patient.read',
    'system/Group.*': 'system/Group.rs',
    'system/Observation.rs?category=laboratory': 'system/Observation.rs?category=laboratory',
    'openid launch system/Patient.r offline_access': 'system/Patient.r',
    'system/Patient.r system/Encounter.r': 'system/Patient.r',
  };
  for (const [asked, granted] of Object.entries(scopes)) {
    const { status, body } = await askToken(acme, elliptic, client, asked);
    t.is(status, 200, asked);
    t.is(body['scope'], granted, asked);
    t.is(decodeJwt(String(body['access_token']))['scope'], granted, asked);
  }
});

test('all keys with the kid are tried, and those of another kind are not', async (t) => {
  const [first, second] = await Promise.all([makeKey('ES384', 'same'), makeKey('ES384', 'same')]);
  const other = await makeKey('RS384', 'same');
  const client = await world.register('acme', { scope: 'system/*.rs', jwks: keySetOf(other, first, second) });
  for (const key of [first, second, other]) t.is((await askToken(acme, key, client)).status, 200);
});

test('a client of DEFAULT may be granted one tenant, several or all', async (t) => {
  const grants: Readonly<Record<string, unknown>> = {
    beta: ['beta'],
    'acme,beta': ['acme', 'beta'],
    _ALL: '_ALL',
  };
  for (const [tenants, claim] of Object.entries(grants)) {
    const client = await world.register('DEFAULT', {
      scope: 'system/*.rs',
      jwks,
      tenants: tenants.split(','),
    });
    const { body } = await askToken(root, elliptic, client);
    t.deepEqual(decodeJwt(String(body['access_token']))['tenant_id'], claim);
  }
  const plain = await world.register('DEFAULT', { scope: 'system/*.rs', jwks });
  const { body } = await askToken(root, elliptic, plain);
  t.deepEqual(decodeJwt(String(body['access_token']))['tenant_id'], ['DEFAULT']);
  t.is((await askToken(root.tenant('DEFAULT'), elliptic, plain)).status, 200);
});

test('a partition that took the place of one that was granted is not granted', async (t) => {
  const { partitions } = server.bulkhead;
  const { id } = await partitions.create({ name: 'short-lived' });
  const tenants = ['short-lived', 'beta'];
  const client = await world.register('DEFAULT', { scope: 'system/*.rs', jwks, tenants });
  await partitions.delete(id);
  await partitions.create({ name: 'short-lived' });
  const { body } = await askToken(root, elliptic, client);
  t.deepEqual(decodeJwt(String(body['access_token']))['tenant_id'], ['beta']);
});

test('clocks may differ by half a minute, and lifetimes be rounded', async (t) => {
  const client = await world.register('acme', { scope: 'system/*.rs', jwks });
  const now = Math.floor(Date.now() / 1000);
  for (const exp of [now + 301, now + 325, now - 20, now + 1]) {
    const jwt = await assertion(elliptic, client, tokenUrl(acme), { claims: { exp, iat: exp - 300 } });
    t.is((await send(tokenUrl(acme), formOf(jwt))).status, 200, String(exp - now));
  }
});

test('two clients of different tenants may have the same id and the same jti', async (t) => {
  for (const tenant of ['acme', 'beta'])
    await world.register(tenant, { id: 'same', scope: 'system/*.rs', jwks });
  for (const at of [acme, beta]) {
    const jwt = await assertion(elliptic, 'same', tokenUrl(at), { claims: { jti: 'same' } });
    t.is((await send(tokenUrl(at), formOf(jwt))).status, 200);
  }
});
