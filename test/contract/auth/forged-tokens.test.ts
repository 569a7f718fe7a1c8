import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import test from 'ava';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { openGuarded } from './fixtures.js';
import { AUDIENCE, listen, startIssuer } from './issuer.js';

const SECONDS = Math.floor(Date.now() / 1000);

const CLAIMS = {
  'of another issuer': { iss: 'https://elsewhere.example' },
  'of an issuer whose name only begins alike': { iss: 'http://127.0.0.1' },
  'without an issuer': { iss: undefined },
  'for another audience': { aud: 'https://elsewhere.example' },
  'for an audience that only begins alike': { aud: `${AUDIENCE}/more` },
  'without an audience': { aud: undefined },
  'that never expires': { exp: undefined },
  'that has expired': { exp: SECONDS - 60 },
  'that is not valid yet': { nbf: SECONDS + 3600 },
  'that was issued in the future': { iat: SECONDS + 3600 },
  'that is bound to a key of its client': { cnf: { jkt: 'abc' } },
} as const;

for (const [what, claims] of Object.entries(CLAIMS)) {
  test(`attack 103: a token ${what} is 401`, async (t) => {
    const { as } = await openGuarded(t);
    const answer = await as({ tenant_id: 'acme', ...claims } as Record<string, unknown>, 'acme/Patient');
    t.is(answer.status, 401, answer.text);
  });
}

const HEADERS = {
  'says where its key is (jku)': { jku: 'https://attacker.example/jwks.json' },
  'says where its certificate is (x5u)': { x5u: 'https://attacker.example/cert.pem' },
  'names a key by a path': { kid: '../../../../dev/null' },
  'names a key by SQL': { kid: "1' OR '1'='1" },
} as const;

for (const [what, header] of Object.entries(HEADERS)) {
  test(`attack 103: a forged token that ${what} is 401`, async (t) => {
    const { issuer, client } = await openGuarded(t);
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ iss: issuer.issuer, aud: AUDIENCE, tenant_id: 'acme' })
      .setProtectedHeader({ alg: 'ES256', kid: '1', ...header })
      .setExpirationTime('5m')
      .sign(privateKey);
    const headers = { authorization: `Bearer ${token}` };
    t.is((await client.send('GET', 'acme/Patient', { headers })).status, 401);
  });
}

test('attack 103: a token that brings its own key is 401, and nobody is called for one', async (t) => {
  const { issuer, client } = await openGuarded(t);
  let calls = 0;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'mine' };
  const attacker = await listen(t, (_request, response) => {
    calls += 1;
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  const jku = `${attacker}/jwks.json`;
  for (const header of [{ jwk }, { jku, kid: 'mine' }, { x5u: jku }, { jku, jwk, x5c: ['abc'] }]) {
    const token = await new SignJWT({ iss: issuer.issuer, aud: AUDIENCE, tenant_id: 'acme' })
      .setProtectedHeader({ alg: 'ES256', kid: '1', ...header })
      .setExpirationTime('5m')
      .sign(privateKey);
    const headers = { authorization: `Bearer ${token}` };
    t.is((await client.send('GET', 'acme/Patient', { headers })).status, 401);
  }
  t.is(calls, 0);
});

test('attack 103: unsigned tokens, and those of other kinds, are 401', async (t) => {
  const { issuer, client } = await openGuarded(t);
  const [header = '', payload = '', signature = ''] = (await issuer.token({ tenant_id: 'acme' })).split('.');
  const none = ['none', 'None', 'NONE', 'nOnE', ''].map((alg) => encode({ alg }));
  const tokens = [
    ...none.flatMap((unsigned) => [`${unsigned}.${payload}.`, `${unsigned}.${payload}.${signature}`]),
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    `${header}.${encode({ tenant_id: 'beta' })}.${signature}`,
    `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    `${payload}.${payload}.${payload}`,
    'a.b.c',
    'a.b.c.d.e',
    'abc',
    await issuer.token({ tenant_id: 'acme' }, { typ: 'logout+jwt' }),
    await issuer.token({ tenant_id: 'acme' }, { typ: 'dpop+jwt' }),
  ];
  for (const token of tokens) {
    const { status } = await client.send('GET', 'acme/Patient', {
      headers: { authorization: `Bearer ${token}` },
    });
    t.is(status, 401, token);
  }
  t.is(issuer.fetches(), 1);
});

test('attack 103: a public RSA key is no secret to sign with, and algorithms are those of the settings', async (t) => {
  const issuer = await startIssuer(t);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'rsa', use: 'sig' };
  const keys = await listen(t, (_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  const settings = { ...issuer.settings, tokenJwksUrl: keys, tokenAlgorithms: ['RS384'] as const };
  const server = await createTestServer({ partitions: ['acme'], settings });
  t.teardown(() => server.stop());
  const claims = { iss: issuer.issuer, aud: AUDIENCE, exp: SECONDS + 600, scope: 'system/*.cruds' };
  const signed = (alg: string): string =>
    `${encode({ alg, kid: 'rsa' })}.${encode({ ...claims, tenant_id: 'acme' })}`;
  const status = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await new FhirClient(server.url).send('GET', 'acme/Patient', { headers })).status;
  };
  const pem = await exportSPKI(publicKey as never);
  for (const secret of [pem, pem.trim(), JSON.stringify(jwk), String(jwk.n)]) {
    const mac = createHmac('sha256', secret).update(signed('HS256')).digest('base64url');
    t.is(await status(`${signed('HS256')}.${mac}`), 401);
  }
  const by = (alg: string, hash: string): string =>
    `${signed(alg)}.${sign(hash, Buffer.from(signed(alg)), privateKey).toString('base64url')}`;
  t.is(await status(by('RS256', 'sha256')), 401);
  t.is(await status(by('RS384', 'sha384')), 200);
});

test('attack 103: a scope is a word, and no part of one', async (t) => {
  const { as } = await openGuarded(t);
  for (const scope of [
    'bulkhead.administrator',
    'xbulkhead.admin',
    'system/bulkhead.admin',
    ['a bulkhead.admin'],
  ]) {
    const answer = await as({ tenant_id: '_ALL', scope }, '$partition-management-list-partitions');
    t.is(answer.status, 403, String(scope));
  }
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
