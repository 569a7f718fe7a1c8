import test from 'ava';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { Authenticator } from '../../src/auth/authenticator.js';
import { principalFrom } from '../../src/auth/claims.js';
import { TokenIssuers } from '../../src/auth/issuers.js';
import type { RequestDetails } from '../../src/model/request.js';
import { principalOf } from '../../src/model/principal.js';
import { aRequest } from '../interceptors/fixtures.js';

const ISSUER = 'https://login.example';
const RULES = { tenantClaim: 'tenant_id', partitions: undefined, adminScope: undefined };

async function world(): Promise<{ readonly authenticator: Authenticator; readonly request: RequestDetails }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const issuer = {
    issuer: ISSUER,
    audience: 'api',
    algorithms: ['ES256'] as const,
    keys: createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }),
    toPrincipal: (claims: JWTPayload) => principalFrom(claims, RULES, Date.now() + 60_000),
  };
  const authenticator = new Authenticator({
    issuers: new TokenIssuers([issuer]),
    opaque: undefined,
    clock: Date.now,
    toleranceSeconds: 5,
  });
  const token = await new SignJWT({ iss: ISSUER, aud: 'api', sub: 'me', tenant_id: 'acme' })
    .setProtectedHeader({ alg: 'ES256' })
    .setExpirationTime('5m')
    .sign(privateKey);
  return { authenticator, request: aRequest({ headers: { authorization: `Bearer ${token}` } }) };
}

test('nothing is waited for where a token is remembered', async (t) => {
  const { authenticator, request } = await world();
  const first = authenticator.admit(request);
  t.true(first instanceof Promise);
  await first;
  const again = { ...request, attributes: new Map<string, unknown>() };
  t.is(authenticator.admit(again), undefined);
  t.is(principalOf(again)?.subject, 'me');
});

const TENANTS = [
  ['acme', undefined, { kind: 'names', names: ['acme'] }],
  [['acme', 'beta'], undefined, { kind: 'names', names: ['acme', 'beta'] }],
  ['_ALL', undefined, { kind: 'all' }],
  [undefined, undefined, { kind: 'none' }],
  [['acme', 7], undefined, { kind: 'none' }],
  [['acme', '_ALL'], undefined, { kind: 'none' }],
  [undefined, ['acme'], { kind: 'names', names: ['acme'] }],
  ['_ALL', ['acme'], { kind: 'names', names: ['acme'] }],
  ['beta', ['acme'], { kind: 'none' }],
  [['acme', 'beta'], ['acme'], { kind: 'names', names: ['acme'] }],
  [null, ['acme'], { kind: 'none' }],
] as const;

test('tenants are what a token claims, within what its issuer is bound to', (t) => {
  for (const [claim, partitions, expected] of TENANTS) {
    const { tenants } = principalFrom({ tenant_id: claim }, { ...RULES, partitions }, 0);
    t.deepEqual(tenants, expected, JSON.stringify([claim, partitions]));
  }
});

test('scopes are words, in either of their claims', (t) => {
  t.deepEqual(scopes({ scope: 'a  b ' }), ['a', 'b']);
  t.deepEqual(scopes({ scp: ['a', 7, 'b'] }), ['a', 'b']);
  t.deepEqual(scopes({ scope: { a: true } }), []);
  t.deepEqual(scopes({}), []);
});

function scopes(claims: JWTPayload): readonly string[] {
  return principalFrom(claims, RULES, 0).scopes;
}
