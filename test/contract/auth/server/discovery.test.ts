import test from 'ava';
import type { CapabilityStatement } from 'fhir/r4.js';
import { createTestServer } from '../../../support/test-server.js';
import { FhirClient } from '../../support/fhir-client.js';
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

/** What Inferno's Bulk Data and SMART test kits ask of a server's discovery and tokens, as tests. */

const key = await makeKey('ES384');
const world = await openTokenServer();
const { root, acme } = world;
const client = await world.register('acme', { scope: 'system/*.rs', jwks: keySetOf(key) });
test.after.always(() => world.server.stop());

interface Discovered {
  readonly issuer?: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly capabilities: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[];
}

const WELL_KNOWN = '.well-known/smart-configuration';

async function discover(url: string): Promise<{ readonly type: string | null; readonly found: Discovered }> {
  const response = await fetch(url);
  return { type: response.headers.get('content-type'), found: (await response.json()) as Discovered };
}

for (const at of [root, acme]) {
  const place = at === root ? 'the server' : 'a tenant';

  test(`SMART configuration of ${place}: valid JSON as application/json, without a token`, async (t) => {
    const response = await fetch(`${at.base}/${WELL_KNOWN}`, { headers: { accept: 'application/json' } });
    t.is(response.status, 200);
    t.is(response.headers.get('content-type'), 'application/json');
    t.truthy(await response.json());
    t.is((await fetch(`${at.base}/${WELL_KNOWN}`, { method: 'HEAD' })).status, 200);
  });

  test(`SMART configuration of ${place}: required fields`, async (t) => {
    const { found } = await discover(`${at.base}/${WELL_KNOWN}`);
    t.is(found.token_endpoint, tokenUrl(at));
    t.regex(found.authorization_endpoint, /^https?:\/\/\S+$/);
    t.true(found.capabilities.length > 0);
    t.true(found.capabilities.every((one) => typeof one === 'string'));
  });

  test(`SMART configuration of ${place}: backend services`, async (t) => {
    const { found } = await discover(`${at.base}/${WELL_KNOWN}`);
    t.true(found.grant_types_supported.includes('client_credentials'));
    t.true(found.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
    t.deepEqual(found.token_endpoint_auth_signing_alg_values_supported.toSorted(), ['ES384', 'RS384']);
    for (const one of ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'])
      t.true(found.capabilities.includes(one), one);
    t.true(found.scopes_supported.every((scope) => scope.startsWith('system/')));
  });

  test(`SMART configuration of ${place}: no issuer, as nobody logs in by OpenID Connect`, async (t) => {
    const { found } = await discover(`${at.base}/${WELL_KNOWN}`);
    t.false(found.capabilities.includes('sso-openid-connect'));
    t.false('issuer' in found);
    t.regex(found.jwks_uri, /\/auth\/jwks$/);
  });

  test(`SMART configuration of ${place}: STU2 asks for authorization_code, and for S256 without plain`, async (t) => {
    const { found } = await discover(`${at.base}/${WELL_KNOWN}`);
    t.true(found.grant_types_supported.includes('authorization_code'));
    t.deepEqual(found.code_challenge_methods_supported, ['S256']);
    const refused = await fetch(found.authorization_endpoint);
    t.is(refused.status, 400);
    t.is(((await refused.json()) as { error: string }).error, 'unsupported_response_type');
  });

  test(`CapabilityStatement of ${place}: SMART as its security, with the same endpoints`, async (t) => {
    const { found } = await discover(`${at.base}/${WELL_KNOWN}`);
    const { status, body } = await at.get<CapabilityStatement>('metadata');
    t.is(status, 200);
    const security = body.rest?.[0]?.security;
    t.is(security?.cors, true);
    t.deepEqual(security?.service?.[0]?.coding?.[0], {
      system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
      code: 'SMART-on-FHIR',
      display: 'SMART-on-FHIR',
    });
    const uris = security?.extension?.find(({ url }) => url.endsWith('/oauth-uris'))?.extension ?? [];
    t.deepEqual(Object.fromEntries(uris.map(({ url, valueUri }) => [url, valueUri])), {
      token: found.token_endpoint,
      authorize: found.authorization_endpoint,
    });
  });
}

test('clients also find the configuration at the root of the host', async (t) => {
  const { found } = await discover(`${new URL(root.base).origin}/${WELL_KNOWN}`);
  t.is(found.token_endpoint, tokenUrl(root));
  t.deepEqual(found, (await discover(`${root.base}/${WELL_KNOWN}`)).found);
});

test('a tenant that does not exist is described like any other', async (t) => {
  const nobody = root.tenant('nobody');
  const { found } = await discover(`${nobody.base}/${WELL_KNOWN}`);
  t.is(found.token_endpoint, tokenUrl(nobody));
  const described = JSON.stringify((await discover(`${acme.base}/${WELL_KNOWN}`)).found);
  t.is(JSON.stringify(found), described.replaceAll('/acme/', '/nobody/'));
});

test('Inferno: a token request with an invalid grant_type is 400', async (t) => {
  const jwt = await assertion(key, client, tokenUrl(acme));
  t.is((await send(tokenUrl(acme), formOf(jwt, { grant_type: 'not_a_grant_type' }))).status, 400);
});

test('Inferno: a token request with an invalid client_assertion_type is 400', async (t) => {
  const jwt = await assertion(key, client, tokenUrl(acme));
  const form = formOf(jwt, { client_assertion_type: 'not_an_assertion_type' });
  t.is((await send(tokenUrl(acme), form)).status, 400);
});

test('Inferno: a token request with an invalid JWT is 400 or 401', async (t) => {
  const jwt = await assertion(key, client, tokenUrl(acme), { claims: { iss: 'not_a_valid_iss' } });
  t.true([400, 401].includes((await send(tokenUrl(acme), formOf(jwt))).status));
});

test('Inferno: a token request with correct information is 200, and its body has what is required', async (t) => {
  const { status, body } = await askToken(acme, key, client);
  t.is(status, 200);
  for (const name of ['access_token', 'token_type', 'expires_in', 'scope']) t.truthy(body[name], name);
  t.is(String(body['token_type']).toLowerCase(), 'bearer');
  t.true(Number(body['expires_in']) <= 300);
});

test('browsers of other origins may ask for tokens', async (t) => {
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
  const preflight = await fetch(tokenUrl(acme), { method: 'OPTIONS', headers });
  t.is(preflight.status, 204);
  t.is(preflight.headers.get('access-control-allow-origin'), '*');
});

test('endpoints of another server are told where the settings name them', async (t) => {
  const settings = {
    auth: 'on',
    authServer: 'off',
    smartTokenUrl: 'https://login.example/token',
    smartAuthorizationUrl: 'https://login.example/authorize',
    smartCapabilities: ['launch-standalone', 'sso-openid-connect'],
    tokenIssuer: 'https://login.example',
    tokenAudience: 'https://fhir.example/fhir',
  } as const;
  const server = await createTestServer({ partitions: ['acme'], settings });
  t.teardown(() => server.stop());
  const tenant = new FhirClient(server.url).tenant('acme');
  const { found } = await discover(`${tenant.base}/${WELL_KNOWN}`);
  t.is(found.token_endpoint, 'https://login.example/token');
  t.is(found.authorization_endpoint, 'https://login.example/authorize');
  t.true(found.capabilities.includes('launch-standalone'));
  t.is(found.jwks_uri, undefined as never);
  t.is(found.issuer, 'https://login.example');
  t.not((await fetch(tokenUrl(tenant), { method: 'POST' })).status, 200);
});

test('where nobody needs a token there is nothing to discover', async (t) => {
  const server = await createTestServer({ partitions: ['acme'] });
  t.teardown(() => server.stop());
  const open = new FhirClient(server.url);
  for (const at of [open, open.tenant('acme')]) {
    t.true([400, 404].includes((await at.get(WELL_KNOWN)).status));
    t.is((await at.post('auth/token', '', { 'content-type': 'application/json' })).status, 404);
    const { body } = await at.get<CapabilityStatement>('metadata');
    t.is(body.rest?.[0]?.security, undefined);
  }
});
