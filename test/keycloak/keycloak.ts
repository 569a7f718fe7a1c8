/**
 * `npm run test:keycloak`: a real Keycloak, from Maven Central or from the folder that BULKHEAD_TEST_KEYCLOAK names, with
 * the realm of `docs/keycloak-realm.json`, and a server that believes its tokens. Takes a minute and needs Java 17 and
 * Maven; where there is neither it says so, and passes. Ends with 1 where anything is not as it should be.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair } from 'jose';
import { createTestServer, verifyIsolation } from '../../src/testing.js';
import { FhirClient } from '../contract/support/fhir-client.js';
import { AUDIENCE, type Clinic, openClinic } from './clinic.js';
import { installKeycloak, startKeycloak } from './keycloak-server.js';

const ALL = 'system/*.cruds';
const READ = 'system/*.rs';
const PATIENT = { resourceType: 'Patient', name: [{ family: 'Okafor' }] };
/** The server looks for a key that it does not know once in 30 seconds. */
const NEW_KEY_MS = 60_000;

type Ask = (token: string, path: string, body?: object) => Promise<number>;

/** Each is run in turn, on one server and one realm. */
const FACTS: Readonly<Record<string, (ask: Ask, clinic: Clinic) => Promise<void>>> = {
  'a token by client_secret reads and writes in its tenant': async (ask, { tokenBySecret }) => {
    const token = await tokenBySecret('acme-app', ALL);
    assert.equal(await ask(token, 'acme/Patient', PATIENT), 201);
    assert.equal(await ask(token, 'acme/Patient'), 200);
  },
  'it is 403 in another tenant, whether that exists or not': async (ask, { tokenBySecret }) => {
    const token = await tokenBySecret('acme-app', ALL);
    for (const tenant of ['beta', 'nobody', '_ALL', 'DEFAULT']) {
      assert.equal(await ask(token, `${tenant}/Patient`), 403, tenant);
    }
  },
  'a token for reading writes nothing': async (ask, { tokenBySecret }) => {
    const token = await tokenBySecret('acme-app', READ);
    assert.equal(await ask(token, 'acme/Patient'), 200);
    assert.equal(await ask(token, 'acme/Patient', PATIENT), 403);
  },
  'a token without a scope opens nothing': async (ask, { tokenBySecret }) => {
    assert.equal(await ask(await tokenBySecret('acme-app', ''), 'acme/Patient'), 403);
  },
  'a token by private_key_jwt opens its tenant, and no other': async (ask, { tokenByKey }) => {
    const token = await tokenByKey('beta-app', ALL);
    assert.equal(await ask(token, 'beta/Patient', PATIENT), 201);
    assert.equal(await ask(token, 'acme/Patient'), 403);
  },
  'Keycloak gives nothing for the key of somebody else': async (_, { tokenByKey }) => {
    const { privateKey } = await generateKeyPair('ES384');
    await assert.rejects(tokenByKey('beta-app', ALL, privateKey), /^Error: 40[01]/);
  },
  'a token for another audience is 401': async (ask, { tokenBySecret }) => {
    assert.equal(await ask(await tokenBySecret('stranger-app', ALL), 'acme/Patient'), 401);
  },
  'a token that was changed is 401': async (ask, { tokenBySecret }) => {
    const [head, claims = '', signature] = (await tokenBySecret('acme-app', ALL)).split('.');
    const text = Buffer.from(claims, 'base64url').toString().replace('"acme"', '"beta"');
    const changed = [head, Buffer.from(text).toString('base64url'), signature].join('.');
    assert.equal(await ask(changed, 'beta/Patient'), 401);
  },
  'a token that has expired is 401': async (ask, { tokenBySecret }) => {
    const token = await tokenBySecret('short-app', ALL);
    await pause(4_500);
    assert.equal(await ask(token, 'acme/Patient'), 401);
  },
};

async function main(): Promise<void> {
  const installed = await installKeycloak().catch((error: unknown) => {
    say(`skipped: Keycloak cannot be had here. ${String(error).slice(0, 300)}`);
    return undefined;
  });
  if (installed === undefined) return;
  const keycloak = await startKeycloak(installed);
  try {
    const clinic = await openClinic(keycloak);
    const failed = (await tryFacts(clinic)) + (await tryRotation(clinic));
    if (failed > 0) process.exitCode = 1;
  } finally {
    await keycloak.stop();
  }
}

function openServer({ issuer }: Clinic) {
  return createTestServer({
    partitions: ['acme', 'beta'],
    settings: { auth: 'on', tokenIssuer: issuer, tokenAudience: AUDIENCE, tokenClockToleranceSeconds: 0 },
  });
}

function asking(url: string): Ask {
  const client = new FhirClient(url);
  return async (token, path, body) => {
    const headers = { authorization: `Bearer ${token}` };
    const method = body === undefined ? 'GET' : 'POST';
    const { status } = await client.send(method, path, { headers, ...(body === undefined ? {} : { body }) });
    return status;
  };
}

/** How many were not so. */
async function tryFacts(clinic: Clinic): Promise<number> {
  const server = await openServer(clinic);
  const ask = asking(server.url);
  let failed = 0;
  try {
    for (const [fact, attempt] of Object.entries(FACTS))
      failed += await tell(fact, () => attempt(ask, clinic));
    failed += await tell('no attack of one tenant on the other succeeds', () => attack(server.url, clinic));
  } finally {
    await server.stop();
  }
  return failed;
}

async function attack(url: string, { tokenBySecret, tokenByKey }: Clinic): Promise<void> {
  const tokens = [await tokenBySecret('acme-app', ALL), await tokenByKey('beta-app', ALL)] as const;
  const rows = await verifyIsolation({ url, partitions: ['acme', 'beta'], tokens });
  const leaks = rows.filter(({ verdict }) => verdict === 'leak');
  assert.deepEqual(leaks, []);
}

/** With a server that knows the keys from before. */
async function tryRotation(clinic: Clinic): Promise<number> {
  const server = await openServer(clinic);
  const ask = asking(server.url);
  const before = await clinic.tokenBySecret('acme-app', ALL);
  let failed = 0;
  try {
    failed += await tell('a new key is found while the old one is still good', async () => {
      assert.equal(await ask(before, 'acme/Patient'), 200);
      const withdraw = await clinic.rotate();
      const after = await clinic.tokenBySecret('acme-app', ALL);
      assert.notEqual(after.split('.')[0], before.split('.')[0], 'the same key');
      await untilTaken(() => ask(after, 'acme/Patient'));
      assert.equal(await ask(before, 'acme/Patient'), 200);
      await withdraw();
    });
  } finally {
    await server.stop();
  }
  const next = await openServer(clinic);
  try {
    failed += await tell('a key that was withdrawn signs nothing any more', async () => {
      assert.equal(await asking(next.url)(before, 'acme/Patient'), 401);
    });
  } finally {
    await next.stop();
  }
  return failed;
}

async function untilTaken(ask: () => Promise<number>): Promise<void> {
  for (const end = Date.now() + NEW_KEY_MS; Date.now() < end; await pause(1_000)) {
    if ((await ask()) === 200) return;
  }
  throw new Error('A token by the new key is not believed.');
}

async function tell(fact: string, attempt: () => Promise<void>): Promise<number> {
  try {
    await attempt();
    say(`ok: ${fact}`);
    return 0;
  } catch (error) {
    say(`not ok: ${fact}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
