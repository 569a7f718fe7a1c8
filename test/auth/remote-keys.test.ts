import test from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import { discoverKeySet } from '../../src/auth/discovery.js';
import { remoteKeys } from '../../src/auth/remote-keys.js';
import { FhirError } from '../../src/model/errors.js';

const MINUTE = 60_000;

async function world() {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const issuer = { now: 1e12, calls: 0, isUp: true, kid: '1' };
  const calls = {
    call: async () => {
      issuer.calls += 1;
      if (!issuer.isUp) throw new Error('down');
      return { status: 200, text: JSON.stringify({ keys: [{ ...jwk, kid: issuer.kid, alg: 'ES256' }] }) };
    },
  };
  const keys = remoteKeys({ calls, url: () => 'https://login.example/jwks', clock: () => issuer.now });
  const find = (kid: string): Promise<unknown> =>
    Promise.resolve(keys({ alg: 'ES256', kid }, { payload: '', signature: '' }));
  return { issuer, find };
}

test('keys are fetched once for all who wait, and again after ten minutes', async (t) => {
  const { issuer, find } = await world();
  await Promise.all([find('1'), find('1'), find('1')]);
  t.is(issuer.calls, 1);
  issuer.now += 9 * MINUTE;
  await find('1');
  t.is(issuer.calls, 1);
  issuer.now += 2 * MINUTE;
  await find('1');
  t.is(issuer.calls, 2);
});

test('a key that was withdrawn is not found any more when the keys were fetched again', async (t) => {
  const { issuer, find } = await world();
  await find('1');
  issuer.kid = '2';
  issuer.now += 11 * MINUTE;
  await t.throwsAsync(find('1'));
  t.truthy(await find('2'));
});

test('while the issuer does not answer its last keys are believed, for an hour', async (t) => {
  const { issuer, find } = await world();
  await find('1');
  issuer.isUp = false;
  issuer.now += 30 * MINUTE;
  t.truthy(await find('1'));
  t.truthy(await find('1'));
  t.is(issuer.calls, 2);
  issuer.now += 31 * MINUTE;
  const error = await t.throwsAsync(find('1'), { instanceOf: FhirError });
  t.is(error?.code, 'BUSY');
});

test('after failures the issuer is left alone for a while, which grows', async (t) => {
  const { issuer, find } = await world();
  issuer.isUp = false;
  const attempt = () => t.throwsAsync(find('1'), { instanceOf: FhirError });
  await attempt();
  await attempt();
  t.is(issuer.calls, 1);
  issuer.now += 1_001;
  await attempt();
  t.is(issuer.calls, 2);
  issuer.now += 1_001;
  await attempt();
  t.is(issuer.calls, 2);
  issuer.now += 1_001;
  issuer.isUp = true;
  t.truthy(await find('1'));
  t.is(issuer.calls, 3);
});

test('unknown keys make the server look once in half a minute', async (t) => {
  const { issuer, find } = await world();
  await find('1');
  for (let count = 0; count < 50; count++) await t.throwsAsync(find(`x${count}`));
  t.is(issuer.calls, 1);
  issuer.now += 30_000;
  for (let count = 0; count < 50; count++) await t.throwsAsync(find(`x${count}`));
  t.is(issuer.calls, 2);
});

test('the key set is discovered as OpenID Connect has it, or as RFC 8414', async (t) => {
  const asked: string[] = [];
  const issuer = 'https://login.example/realms/one';
  const documents: Record<string, object> = {
    'https://login.example/.well-known/oauth-authorization-server/realms/one': {
      issuer,
      jwks_uri: `${issuer}/certs`,
    },
    'https://other.example/.well-known/openid-configuration': { issuer, jwks_uri: 'https://x.example' },
    'https://third.example/.well-known/openid-configuration': { issuer: 'https://third.example' },
  };
  const calls = {
    call: async ({ url }: { readonly url: string }) => {
      asked.push(url);
      const found = documents[url];
      return { status: found ? 200 : 404, text: JSON.stringify(found ?? {}) };
    },
  };
  t.is(await discoverKeySet(calls, issuer), `${issuer}/certs`);
  t.is(asked[0], `${issuer}/.well-known/openid-configuration`);
  await t.throwsAsync(discoverKeySet(calls, 'https://other.example'), { message: /another issuer/ });
  await t.throwsAsync(discoverKeySet(calls, 'https://third.example'), { message: /no key set/ });
  await t.throwsAsync(discoverKeySet(calls, 'https://none.example'), { message: /404/ });
});
