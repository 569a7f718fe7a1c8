import test from 'ava';
import { decodeJwt, SignJWT } from 'jose';
import { createTestServer } from '../../../support/test-server.js';
import { kickOff, locationOf } from '../../export/fixtures.js';
import { assertError, FhirClient } from '../../support/fhir-client.js';
import {
  askToken,
  type ClientKey,
  keySetOf,
  makeKey,
  openTokenServer,
  registerAt,
  type TokenServer,
} from './fixtures.js';

let world: TokenServer;
let key: ClientKey;
let now = Date.now();
test.before(async () => {
  key = await makeKey('ES384');
  world = await openTokenServer({ clock: () => now });
});
test.after.always(() => world.server.stop());

function bearer(token: unknown): Record<string, string> {
  return { authorization: `Bearer ${String(token)}` };
}

async function tokenOf(tenant: 'acme' | 'beta', client: string, scope = 'system/*.cruds'): Promise<string> {
  return String((await askToken(world[tenant], key, client, scope)).body['access_token']);
}

test.serial('a token opens its tenant, and no other, whether there is one or not', async (t) => {
  const { acme, beta, root } = world;
  const client = await world.register('acme', { scope: 'system/*.cruds', jwks: keySetOf(key) });
  const headers = bearer(await tokenOf('acme', client));
  t.is((await acme.put('Patient/p', { resourceType: 'Patient', id: 'p' }, headers)).status, 201);
  t.is((await acme.get('Patient/p', headers)).status, 200);
  const foreign = await beta.get('Patient/p', headers);
  const nowhere = await root.tenant('nowhere').get('Patient/p', headers);
  assertError(t, foreign, 403, 'FORBIDDEN');
  t.is(nowhere.status, foreign.status);
  t.deepEqual(nowhere.body, foreign.body);
  assertError(t, await acme.get('Patient/p'), 401, 'LOGIN_REQUIRED');
});

test.serial(
  'what a client has is looked up again: it ends within seconds where it is taken away',
  async (t) => {
    const { acme } = world;
    const { parts, partitions } = world.server.bulkhead;
    const client = await world.register('acme', { scope: 'system/*.cruds', jwks: keySetOf(key) });
    const headers = bearer(await tokenOf('acme', client));
    t.is((await acme.get('Patient', headers)).status, 200);
    const partition = partitions.read({ name: 'acme' });
    await parts.clients.setDisabled(partition, client, 'disabled');
    now += 11_000;
    assertError(t, await acme.get('Patient', headers), 401, 'LOGIN_REQUIRED');
    await parts.clients.setDisabled(partition, client, 'enabled');
    t.is((await acme.get('Patient', headers)).status, 200);
    await parts.clients.remove(partition, client);
    now += 11_000;
    assertError(t, await acme.get('Patient', headers), 401, 'LOGIN_REQUIRED');
    await world.register('acme', { id: client, scope: 'system/*.cruds', jwks: keySetOf(key) });
    assertError(t, await acme.get('Patient', headers), 401, 'LOGIN_REQUIRED');
  },
);

test.serial('what a client has exported is not for the one that is given its id later', async (t) => {
  const { acme } = world;
  const { parts, partitions } = world.server.bulkhead;
  const registration = { id: 'nightly', scope: 'system/*.rs', jwks: keySetOf(key) };
  await world.register('acme', registration);
  const headers = bearer(await tokenOf('acme', 'nightly', 'system/*.rs'));
  const location = locationOf(await kickOff(acme, '$export?_type=Patient', undefined, headers));
  t.true([200, 202].includes((await acme.get(location, headers)).status));
  await parts.clients.remove(partitions.read({ name: 'acme' }), 'nightly');
  now += 11_000;
  await world.register('acme', registration);
  const others = bearer(await tokenOf('acme', 'nightly', 'system/*.rs'));
  assertError(t, await acme.get(location, others), 404, 'NOT_FOUND');
  assertError(t, await acme.delete(location, others), 404, 'NOT_FOUND');
});

test.serial('clients of two partitions that have one id do not see the exports of each other', async (t) => {
  const { acme, root } = world;
  const registration = { id: 'both', scope: 'system/*.rs', jwks: keySetOf(key) };
  await world.register('acme', registration);
  await world.register('DEFAULT', { ...registration, tenants: ['acme'] });
  const own = bearer(await tokenOf('acme', 'both', 'system/*.rs'));
  const central = bearer(String((await askToken(root, key, 'both')).body['access_token']));
  const location = locationOf(await kickOff(acme, '$export?_type=Patient', undefined, own));
  assertError(t, await acme.get(location, central), 404, 'NOT_FOUND');
});

test.serial(
  'a token ends with its time, with its signature, and with the key of another server',
  async (t) => {
    const { acme } = world;
    const client = await world.register('acme', { scope: 'system/*.cruds', jwks: keySetOf(key) });
    const token = await tokenOf('acme', client);
    const forged = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: 'ES384', kid: key.kid, typ: 'at+jwt' })
      .sign(key.privateKey);
    assertError(t, await acme.get('Patient', bearer(forged)), 401, 'LOGIN_REQUIRED');
    t.is((await acme.get('Patient', bearer(token))).status, 200);
    now += 310_000;
    assertError(t, await acme.get('Patient', bearer(token)), 401, 'LOGIN_REQUIRED');
    const other = await createTestServer({ partitions: ['acme'], settings: { auth: 'on' } });
    t.teardown(() => other.stop());
    await registerAt(other, 'acme', { id: client, scope: 'system/*.cruds', jwks: keySetOf(key) });
    const there = new FhirClient(other.url).tenant('acme');
    const foreign = (await askToken(there, key, client, 'system/*.cruds')).body['access_token'];
    t.is((await there.get('Patient', bearer(foreign))).status, 200);
    assertError(t, await acme.get('Patient', bearer(foreign)), 401, 'LOGIN_REQUIRED');
  },
);
