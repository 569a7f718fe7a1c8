import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { PATIENT } from './fixtures.js';

const AUDIENCE = 'https://fhir.example/api';
const TENANTS: Readonly<Record<string, string>> = { 'acme-app': 'acme', 'beta-app': 'beta' };
const SECRET = 'a secret that only the client knows';

/** An authorization server that makes access tokens for clients of their own: JWTs, or opaque ones. */
async function startProvider(t: ExecutionContext, accessTokenFormat: 'jwt' | 'opaque'): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'k1' }] },
    clients: [...Object.keys(TENANTS), 'bulkhead'].map((client_id) => ({
      client_id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'system/*.cruds',
    })),
    scopes: ['system/*.cruds'],
    extraTokenClaims: (_context: unknown, { clientId = '' }: { readonly clientId?: string }) => ({
      tenant_id: TENANTS[clientId],
    }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'system/*.cruds',
          audience: AUDIENCE,
          accessTokenTTL: 300,
          accessTokenFormat,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  return issuer;
}

async function tokenFor(issuer: string, client: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client}:${encodeURIComponent(SECRET)}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials&scope=system/*.cruds',
  });
  const { access_token } = (await response.json()) as { readonly access_token?: string };
  if (access_token === undefined) throw new Error(`The provider answered ${response.status}.`);
  return access_token;
}

for (const format of ['jwt', 'opaque'] as const) {
  test(`tokens of oidc-provider (${format}) open the tenant of their client, and no other`, async (t) => {
    const issuer = await startProvider(t, format);
    const server = await createTestServer({
      partitions: ['acme', 'beta'],
      settings: {
        auth: 'on',
        tokenIssuer: issuer,
        tokenAudience: AUDIENCE,
        tokenIntrospectionUrl: `${issuer}/token/introspection`,
        tokenIntrospectionClientId: 'bulkhead',
        tokenIntrospectionClientSecret: SECRET,
      },
    });
    t.teardown(() => server.stop());
    const client = new FhirClient(server.url);
    const token = await tokenFor(issuer, 'acme-app');
    t.is(token.split('.').length, format === 'jwt' ? 3 : 1);
    const headers = { authorization: `Bearer ${token}` };
    const made = await client.send('POST', 'acme/Patient', { body: PATIENT, headers });
    t.is(made.status, 201, made.text);
    t.is((await client.send('GET', 'beta/Patient', { headers })).status, 403);
    const other = { authorization: `Bearer ${await tokenFor(issuer, 'beta-app')}` };
    t.is((await client.send('GET', 'beta/Patient', { headers: other })).status, 200);
    t.is((await client.send('GET', 'acme/Patient', { headers: other })).status, 403);
    const strange = { authorization: `Bearer ${token.slice(0, -3)}abc` };
    t.is((await client.send('GET', 'acme/Patient', { headers: strange })).status, 401);
  });
}
