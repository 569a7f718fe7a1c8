import { readFile } from 'node:fs/promises';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { KeycloakServer } from './keycloak-server.js';

/** The audience that `docs/keycloak-realm.json` gives to tokens. */
export const AUDIENCE = 'https://fhir.example/fhir';

const SECRET = 'a secret of acme';

/** The realm of the documentation, with keys and secrets that the tests know, and two clients more. */
export interface Clinic {
  readonly issuer: string;
  /** By `client_secret`. @throws Error where Keycloak gives no token */
  readonly tokenBySecret: (client: string, scope: string) => Promise<string>;
  /** By `private_key_jwt`, signed with the key of beta-app or with another one. */
  readonly tokenByKey: (client: string, scope: string, key?: CryptoKey) => Promise<string>;
  /** From now on tokens are signed by a new key; answers what takes the old one away. */
  readonly rotate: () => Promise<() => Promise<void>>;
}

interface RealmFile {
  readonly clients: readonly (Readonly<Record<string, unknown>> & { readonly clientId: string })[];
}

/** Makes the realm by the administration's own interface. */
export async function openClinic({ url, administer }: KeycloakServer): Promise<Clinic> {
  const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'beta-1', use: 'sig', alg: 'ES384' };
  const realm = JSON.parse(await readFile('docs/keycloak-realm.json', 'utf8')) as RealmFile;
  await administer('POST', '', { ...realm, clients: clientsOf(realm, { keys: [jwk] }) });
  const issuer = `${url}/realms/clinic`;
  return {
    issuer,
    tokenBySecret: (client, scope) => token(issuer, { scope, client_id: client, client_secret: SECRET }),
    tokenByKey: async (client, scope, key = privateKey) =>
      token(issuer, {
        scope,
        client_id: client,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(issuer, client, key),
      }),
    rotate: () => rotate(administer),
  };
}

/** acme-app and beta-app, one whose tokens end at once, and one whose tokens are for somebody else. */
function clientsOf({ clients }: RealmFile, jwks: object): readonly object[] {
  const [acme, beta] = clients.map((client) =>
    client.clientId === 'acme-app'
      ? { ...client, secret: SECRET }
      : {
          ...client,
          attributes: {
            'use.jwks.string': 'true',
            'jwks.string': JSON.stringify(jwks),
            'token.endpoint.auth.signing.alg': 'ES384',
          },
        },
  );
  return [
    acme!,
    beta!,
    { ...acme, clientId: 'short-app', attributes: { 'access.token.lifespan': '3' } },
    { ...acme, clientId: 'stranger-app', defaultClientScopes: [] },
  ];
}

/** An empty scope is left out: Keycloak knows none of this name. */
async function token(
  issuer: string,
  { scope, ...form }: Readonly<Record<string, string>> & { readonly scope: string },
): Promise<string> {
  const asked = scope === '' ? form : { ...form, scope };
  const answer = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', ...asked }),
  });
  const body = (await answer.json()) as { readonly access_token?: string; readonly error?: string };
  if (body.access_token === undefined) throw new Error(`${answer.status} ${body.error}`);
  return body.access_token;
}

function assertion(issuer: string, client: string, key: CryptoKey): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: client,
    sub: client,
    aud: issuer,
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'ES384', kid: 'beta-1' })
    .sign(key);
}

interface Component {
  readonly id: string;
  readonly providerId: string;
}

async function rotate(administer: KeycloakServer['administer']): Promise<() => Promise<void>> {
  const { id } = (await administer('GET', '/clinic')) as { readonly id: string };
  const query = `parent=${id}&type=org.keycloak.keys.KeyProvider`;
  const before = (await administer('GET', `/clinic/components?${query}`)) as readonly Component[];
  await administer('POST', '/clinic/components', {
    name: 'rsa-next',
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId: id,
    config: {
      priority: ['500'],
      enabled: ['true'],
      active: ['true'],
      algorithm: ['RS256'],
      keySize: ['2048'],
    },
  });
  return async () => {
    const old = before.filter(({ providerId }) => providerId === 'rsa-generated');
    for (const component of old) await administer('DELETE', `/clinic/components/${component.id}`);
  };
}
