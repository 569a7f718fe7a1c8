import test from 'ava';
import type { Parameters } from 'fhir/r4.js';
import {
  askToken,
  type ClientKey,
  keySetOf,
  makeKey,
  openTokenServer,
  type TokenServer,
} from './fixtures.js';
import { createTestServer } from '../../../support/test-server.js';
import { assertError, FhirClient } from '../../support/fhir-client.js';

let world: TokenServer;
let key: ClientKey;
test.before(async () => {
  world = await openTokenServer();
  key = await makeKey('ES384');
});
test.after.always(() => world.server.stop());

type Given = Readonly<Record<string, string | readonly string[]>>;

function parametersOf(given: Given): object {
  const parameter = Object.entries(given).flatMap(([name, value]) =>
    [value].flat().map((valueString) => ({ name, valueString })),
  );
  return { resourceType: 'Parameters', parameter };
}

/** Headers with a token of a client of DEFAULT that may manage the server. */
async function adminHeaders(scope = 'bulkhead.admin system/*.cruds'): Promise<Record<string, string>> {
  const client = await world.register('DEFAULT', { scope, jwks: keySetOf(key), tenants: ['_ALL'] });
  const { body } = await askToken(world.root, key, client, scope);
  return { authorization: `Bearer ${String(body['access_token'])}` };
}

test('who manages the server registers clients of tenants, lists, disables, enables and removes them', async (t) => {
  const { acme, beta } = world;
  const headers = await adminHeaders();
  const given = { id: 'by-operation', name: 'A client', scope: 'system/*.rs', jwks: keySetOf(key) };
  const made = await acme.post<Parameters>('$client-register', parametersOf(given), headers);
  t.is(made.status, 201);
  const values = Object.fromEntries(
    made.body.parameter?.map(({ name, valueString, valueBoolean }) => [name, valueString ?? valueBoolean]) ??
      [],
  );
  t.is(values['id'], 'by-operation');
  t.is(values['tenant'], 'acme');
  t.is(values['disabled'], false);
  t.is((await askToken(acme, key, 'by-operation')).status, 200);
  t.is((await askToken(beta, key, 'by-operation')).status, 400);
  const listed = await acme.get<Parameters>('$client-list', headers);
  t.true(listed.body.parameter?.some(({ part }) => part?.[0]?.valueString === 'by-operation'));
  t.is((await beta.get('$client-list', headers)).text, '{"resourceType":"Parameters"}');
  const statuses: Readonly<Record<string, number>> = { disable: 400, enable: 200, remove: 400 };
  for (const [change, status] of Object.entries(statuses)) {
    const changed = await acme.post(`$client-${change}`, parametersOf({ id: 'by-operation' }), headers);
    t.is(changed.status, 200, change);
    t.is((await askToken(acme, key, 'by-operation')).status, status, change);
  }
  const gone = await acme.post('$client-remove', parametersOf({ id: 'by-operation' }), headers);
  assertError(t, gone, 404, 'UNKNOWN_CLIENT');
});

test('nobody else does: neither without a token, nor with one of a client of the tenant', async (t) => {
  const { acme } = world;
  const client = await world.register('acme', { scope: 'system/*.cruds', jwks: keySetOf(key) });
  const { body } = await askToken(acme, key, client, 'system/*.cruds');
  const headers = { authorization: `Bearer ${String(body['access_token'])}` };
  for (const name of ['register', 'disable', 'enable', 'remove']) {
    const given = parametersOf({ id: client });
    assertError(t, await acme.post(`$client-${name}`, given, headers), 403, 'FORBIDDEN');
    assertError(t, await acme.post(`$client-${name}`, given), 401, 'LOGIN_REQUIRED');
  }
  assertError(t, await acme.get('$client-list', headers), 403, 'FORBIDDEN');
  t.is((await askToken(acme, key, client, 'system/*.cruds')).status, 200);
});

test('what cannot be registered is refused in words', async (t) => {
  const { acme, root } = world;
  const headers = await adminHeaders();
  const jwks = keySetOf(key);
  const scope = 'system/*.rs';
  const secret = JSON.stringify({ keys: [{ ...key.jwk, d: 'AAAA' }] });
  const weak = JSON.stringify({ keys: [(await makeKey('ES256')).jwk] });
  const wrong: readonly (readonly [Given, RegExp])[] = [
    [{ scope }, /either a key set/],
    [{ scope, jwks, jwksUrl: 'https://client.example/jwks' }, /either a key set/],
    [{ jwks }, /words with a space/],
    [{ scope: 'system/Patient', jwks }, /'system\/Patient' cannot be granted/],
    [{ scope: 'patient/*.rs', jwks }, /cannot be granted/],
    [{ scope: 'system/*.rs system/Pateint.rs', jwks }, /'system\/Pateint.rs' cannot be granted/],
    [{ scope: 'bulkhead.admin', jwks }, /cannot be granted/],
    [{ scope, jwks, id: 'a b' }, /client id/],
    [{ scope, jwks, name: 'x'.repeat(300) }, /name/],
    [{ scope, jwks, tenant: 'beta' }, /this tenant, and no other/],
    [{ scope, jwks: '{' }, /not JSON/],
    [{ scope, jwks: '[]' }, /not a JSON Web Key Set/],
    [{ scope, jwks: '{"keys":[]}' }, /no key that can be used/],
    [{ scope, jwks: weak }, /no key that can be used/],
    [{ scope, jwks: secret }, /private/],
    [{ scope, jwksUrl: 'file:///etc/passwd' }, /http/],
    [{ scope, jwksUrl: 'https://user@client.example/jwks' }, /login/],
  ];
  for (const [given, words] of wrong) {
    const refused = await acme.post('$client-register', parametersOf(given), headers);
    assertError(t, refused, 422, 'INVALID_CLIENT');
    t.regex(refused.text, words, JSON.stringify(given));
  }
  const nobody = { scope, jwks, tenant: 'nobody' };
  assertError(
    t,
    await root.post('$client-register', parametersOf(nobody), headers),
    404,
    'UNKNOWN_PARTITION',
  );
  const unknown = { scope, jwks, secret: 'x' };
  assertError(t, await acme.post('$client-register', parametersOf(unknown), headers), 400, 'INVALID_REQUEST');
  const twice = { scope, jwks, id: 'twice' };
  t.is((await acme.post('$client-register', parametersOf(twice), headers)).status, 201);
  assertError(t, await acme.post('$client-register', parametersOf(twice), headers), 409, 'CLIENT_EXISTS');
});

test('where authentication is off everybody manages clients, of which none gets a token', async (t) => {
  const server = await createTestServer({ partitions: ['acme'] });
  t.teardown(() => server.stop());
  const acme = new FhirClient(server.url).tenant('acme');
  const given = parametersOf({ scope: 'system/*.rs', jwks: keySetOf(key) });
  t.is((await acme.post('$client-register', given)).status, 201);
  assertError(t, await acme.tenant('_ALL').get('$client-list'), 404, 'UNKNOWN_RESOURCE_TYPE');
  const all = new FhirClient(server.url).tenant('_ALL');
  assertError(t, await all.get('$client-list'), 400, 'INVALID_PARTITION');
});
