import test, { type ExecutionContext } from 'ava';
import {
  type AssertionChanges,
  assertion,
  formOf,
  keySetOf,
  makeKey,
  openTokenServer,
  send,
  type TokenAnswer,
  tokenUrl,
} from './fixtures.js';

const [key, stranger, small] = await Promise.all([makeKey('ES384'), makeKey('ES384'), makeKey('ES256')]);
const rsa = await makeKey('RS256');
const world = await openTokenServer();
const { acme, beta, root } = world;
const URL_OF_ACME = tokenUrl(acme);
const CLIENT = 'client-of-acme';
await world.register('acme', { id: CLIENT, scope: 'system/Patient.rs', jwks: keySetOf(key) });
await world.register('acme', { id: 'disabled', scope: 'system/*.rs', jwks: keySetOf(key) });
const partition = world.server.bulkhead.partitions.read({ name: 'acme' });
await world.server.bulkhead.parts.clients.setDisabled(partition, 'disabled', 'disabled');
test.after.always(() => world.server.stop());

function assertRefused(t: ExecutionContext, { status, headers, body }: TokenAnswer, error: string): void {
  t.is(status, 400);
  t.is(body['error'], error);
  t.is(typeof body['error_description'], 'string');
  t.deepEqual(Object.keys(body), ['error', 'error_description']);
  t.is(headers.get('cache-control'), 'no-store');
  t.is(headers.get('pragma'), 'no-cache');
  t.is(headers.get('content-type'), 'application/json');
}

/** Requests that are wrong whoever sends them. */
const FORMS: Readonly<Record<string, readonly [Readonly<Record<string, string | undefined>>, string]>> = {
  'no grant_type': [{ grant_type: undefined }, 'invalid_request'],
  'an empty grant_type': [{ grant_type: '' }, 'invalid_request'],
  'another grant_type': [{ grant_type: 'not_a_grant_type' }, 'unsupported_grant_type'],
  'the grant type authorization_code': [{ grant_type: 'authorization_code' }, 'unsupported_grant_type'],
  'no client_assertion_type': [{ client_assertion_type: undefined }, 'invalid_request'],
  'another client_assertion_type': [{ client_assertion_type: 'not_an_assertion_type' }, 'invalid_request'],
  'no client_assertion': [{ client_assertion: undefined }, 'invalid_request'],
  'an assertion that is no JWT': [{ client_assertion: 'invalid_jwt' }, 'invalid_client'],
  'an endless assertion': [{ client_assertion: 'a'.repeat(20_000) }, 'invalid_client'],
  'another client_id than the assertion': [{ client_id: 'other' }, 'invalid_client'],
  'a client_secret beside the assertion': [{ client_id: CLIENT, client_secret: 'x' }, 'invalid_request'],
  'no scope': [{ scope: undefined }, 'invalid_scope'],
  'a scope that is not registered': [{ scope: 'system/Encounter.rs' }, 'invalid_scope'],
  'a scope of another context': [{ scope: 'user/Patient.rs patient/Patient.rs' }, 'invalid_scope'],
  'a scope that nobody knows': [{ scope: 'system/Patient.rx everything' }, 'invalid_scope'],
  'a scope that is no scope': [{ scope: 'system/"Patient".rs' }, 'invalid_scope'],
};

for (const [what, [changes, error]] of Object.entries(FORMS)) {
  test(`${what} is ${error}`, async (t) => {
    const jwt = await assertion(key, CLIENT, URL_OF_ACME);
    assertRefused(t, await send(URL_OF_ACME, formOf(jwt, changes)), error);
  });
}

test('a parameter that was sent twice is invalid_request', async (t) => {
  const form = formOf(await assertion(key, CLIENT, URL_OF_ACME));
  for (const name of ['grant_type', 'scope', 'client_assertion']) {
    const twice = new URLSearchParams([...form, [name, form.get(name) ?? '']]);
    assertRefused(t, await send(URL_OF_ACME, twice), 'invalid_request');
  }
});

test('a description has the characters that it may have, whatever was sent', async (t) => {
  for (const name of ['a"b', 'a\\b', 'ä', 'a\nb', '\u0000']) {
    const twice = new URLSearchParams([
      [name, '1'],
      [name, '2'],
    ]);
    const answer = await send(URL_OF_ACME, twice);
    assertRefused(t, answer, 'invalid_request');
    t.regex(String(answer.body['error_description']), /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  }
  const coded = await send(URL_OF_ACME, 'a=1', { 'content-encoding': '"x"' });
  t.regex(String(coded.body['error_description']), /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
});

test('a scope of a type that there is not is not a part of everything', async (t) => {
  await world.register('acme', { id: 'everything', scope: 'system/*.cruds', jwks: keySetOf(key) });
  const jwt = await assertion(key, 'everything', URL_OF_ACME);
  assertRefused(t, await send(URL_OF_ACME, formOf(jwt, { scope: 'system/Pateint.rs' })), 'invalid_scope');
});

test('a client that authenticates itself by a header besides is invalid_request', async (t) => {
  const form = formOf(await assertion(key, CLIENT, URL_OF_ACME));
  for (const authorization of [`Basic ${btoa(`${CLIENT}:x`)}`, 'Bearer x'])
    assertRefused(t, await send(URL_OF_ACME, form, { authorization }), 'invalid_request');
});

test('the client_id of the assertion may stand beside it', async (t) => {
  const form = formOf(await assertion(key, CLIENT, URL_OF_ACME), {
    client_id: CLIENT,
    scope: 'system/Patient.rs',
  });
  t.is((await send(URL_OF_ACME, form)).status, 200);
});

const now = Math.floor(Date.now() / 1000);

/** Assertions that are wrong whoever sends them: said to everybody alike. */
const ASSERTIONS: Readonly<Record<string, AssertionChanges>> = {
  'without a kid': { header: { kid: undefined } },
  'of another typ': { header: { typ: 'at+jwt' } },
  'with a critical extension': { header: { crit: ['x'], x: 1 } },
  'for another endpoint': { claims: { aud: tokenUrl(beta) } },
  'for the base': { claims: { aud: acme.base } },
  'without an aud': { without: ['aud'] },
  'without an iss': { without: ['iss'] },
  'without a sub': { without: ['sub'] },
  'with another sub than iss': { claims: { sub: 'other' } },
  'without a jti': { without: ['jti'] },
  'with an empty jti': { claims: { jti: '' } },
  'without an exp': { without: ['exp'] },
  'that has expired': { claims: { exp: now - 120 } },
  'that is good for too long': { claims: { exp: now + 900 } },
  'from the future': { claims: { iat: now + 200 } },
  'that is not good yet': { claims: { nbf: now + 200 } },
};

for (const [what, changes] of Object.entries(ASSERTIONS)) {
  test(`an assertion ${what} is invalid_client, and says why to clients and strangers alike`, async (t) => {
    const { crit, ...header } = changes.header ?? {};
    const jwt = await assertion(key, CLIENT, URL_OF_ACME, { ...changes, header });
    const sent = crit === undefined ? jwt : withHeader(jwt, { alg: 'ES384', kid: key.kid, crit });
    const answer = await send(URL_OF_ACME, formOf(sent));
    assertRefused(t, answer, 'invalid_client');
    const unknown = { ...changes, header, claims: { iss: 'nobody', sub: 'nobody', ...changes.claims } };
    const foreign = await assertion(stranger, CLIENT, URL_OF_ACME, unknown);
    const other = crit === undefined ? foreign : withHeader(foreign, { alg: 'ES384', kid: key.kid, crit });
    t.deepEqual((await send(URL_OF_ACME, formOf(other))).body, answer.body);
  });
}

for (const other of [small, rsa]) {
  test(`an assertion that is signed with ${other.alg} is invalid_client`, async (t) => {
    const jwt = await assertion(other, CLIENT, URL_OF_ACME, { header: { kid: key.kid } });
    assertRefused(t, await send(URL_OF_ACME, formOf(jwt)), 'invalid_client');
  });
}

test('an assertion without a signature, or with a symmetric one, is invalid_client', async (t) => {
  const jwt = await assertion(key, CLIENT, URL_OF_ACME);
  for (const alg of ['none', 'HS384', 'hs384', 'ES256']) {
    const forged = withHeader(jwt, { alg, kid: key.kid, typ: 'JWT' });
    assertRefused(t, await send(URL_OF_ACME, formOf(forged)), 'invalid_client');
    const bare = `${forged.split('.').slice(0, 2).join('.')}.`;
    assertRefused(t, await send(URL_OF_ACME, formOf(bare)), 'invalid_client');
  }
});

test('who is not known, is disabled, is of another tenant or signs with another key is told the same', async (t) => {
  await world.register('beta', { id: 'of-beta', scope: 'system/*.rs', jwks: keySetOf(key) });
  await world.register('DEFAULT', { id: 'of-default', scope: 'system/*.rs', jwks: keySetOf(key) });
  const nobody = root.tenant('no-such-tenant');
  const used = await assertion(key, CLIENT, URL_OF_ACME);
  t.is((await send(URL_OF_ACME, formOf(used, { scope: 'system/Patient.rs' }))).status, 200);
  const answers = await Promise.all([
    ask(key, 'never-registered'),
    ask(key, 'disabled'),
    ask(key, 'of-beta'),
    ask(key, 'of-default'),
    ask(stranger, CLIENT),
    ask({ ...stranger, kid: key.kid }, CLIENT),
    ask({ ...key, kid: `${key.kid}' or '1'='1` }, CLIENT),
    ask({ ...key, kid: '../../etc/passwd' }, CLIENT),
    send(tokenUrl(nobody), formOf(await assertion(key, CLIENT, tokenUrl(nobody)))),
    send(tokenUrl(beta), formOf(await assertion(key, CLIENT, tokenUrl(beta)))),
    ask(key, CLIENT, { header: { jku: 'https://attacker.example/jwks' } }),
    send(URL_OF_ACME, formOf(used)),
  ]);
  const [first] = answers;
  if (first === undefined) return t.fail();
  assertRefused(t, first, 'invalid_client');
  for (const { status, body } of answers) t.deepEqual([status, body], [first.status, first.body]);
  return undefined;
});

async function ask(signer: typeof key, client: string, changes: AssertionChanges = {}): Promise<TokenAnswer> {
  return send(URL_OF_ACME, formOf(await assertion(signer, client, URL_OF_ACME, changes)));
}

/** Another header upon the same claims and signature. */
function withHeader(jwt: string, header: object): string {
  const [, claims = '', signature = ''] = jwt.split('.');
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.${signature}`;
}

test('a token is asked for by POST, with a form', async (t) => {
  const got = await fetch(URL_OF_ACME);
  t.is(got.status, 405);
  t.is(got.headers.get('allow'), 'POST');
  t.is(((await got.json()) as { error: string }).error, 'invalid_request');
  const headers = { 'content-type': 'application/json' };
  const json = await fetch(URL_OF_ACME, { method: 'POST', headers, body: '{}' });
  t.is(json.status, 400);
  const long = await send(URL_OF_ACME, `scope=${'x'.repeat(100_000)}`);
  t.is(long.status, 413);
  t.is(long.body['error'], 'invalid_request');
});

test('what is below a token endpoint, or named like one, is none', async (t) => {
  for (const path of [
    'auth/token/x',
    'x/y/auth/token',
    'acme/auth',
    'auth',
    '%2e/auth/token',
    'a.b/auth/token',
  ]) {
    const { status } = await root.send('POST', path, {
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    t.true([400, 401, 404].includes(status), `${path}: ${status}`);
  }
});
