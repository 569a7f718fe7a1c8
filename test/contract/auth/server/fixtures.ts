import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type CryptoKey, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { Registration } from '../../../../src/clients/registration.js';
import type { Settings } from '../../../../src/settings/schema.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../../support/test-server.js';
import { FhirClient } from '../../support/fhir-client.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A key pair of a client; `jwk` is the public part. */
export interface ClientKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** The answer of a token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What of an assertion is other than it should be. */
export interface AssertionChanges {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: JWTPayload;
  /** Claims that are left out. */
  readonly without?: readonly string[];
}

export async function makeKey(alg: string, kid: string = randomUUID()): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export function keySetOf(...keys: readonly ClientKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

/** A server with authentication and the tenants acme and beta. */
export interface TokenServer {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
  /** Registers a client in a partition. */
  register(partition: string, registration: Registration): Promise<string>;
}

export async function openTokenServer({ settings, ...options }: StoreTestOptions = {}): Promise<TokenServer> {
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    ...options,
    settings: { auth: 'on', ...settings } satisfies Partial<Settings>,
  });
  const root = new FhirClient(server.url);
  return {
    server,
    root,
    acme: root.tenant('acme'),
    beta: root.tenant('beta'),
    register: (partition, registration) => registerAt(server, partition, registration),
  };
}

export async function registerAt(
  { bulkhead: { parts } }: TestServer,
  partition: string,
  registration: Registration,
): Promise<string> {
  return (await parts.clients.register(parts.management.read({ name: partition }), registration)).id;
}

/** A client's assertion, good for five minutes unless it is changed. */
export function assertion(
  key: ClientKey,
  client: string,
  audience: string,
  { header, claims, without = [] }: AssertionChanges = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: client, sub: client, aud: audience, exp: now + 300, jti: randomUUID(), ...claims };
  const kept = Object.entries(all).filter(([name]) => !without.includes(name));
  return new SignJWT(Object.fromEntries(kept))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey);
}

/** The form of a token request; a value of `undefined` is left out. */
export function formOf(
  jwt: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): URLSearchParams {
  const all = {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: jwt,
    scope: 'system/*.rs',
    ...changes,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined) as [string, string][];
  return new URLSearchParams(given);
}

export async function send(
  url: string,
  body: URLSearchParams | string,
  more: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...more };
  const response = await fetch(url, { method: 'POST', headers, body: String(body) });
  const { status } = response;
  return { status, headers: response.headers, body: (await response.json()) as TokenAnswer['body'] };
}

export function tokenUrl({ base }: FhirClient): string {
  return `${base}/auth/token`;
}

/** Asks for a token as a client that does everything as it should. */
export async function askToken(
  at: FhirClient,
  key: ClientKey,
  client: string,
  scope = 'system/*.rs',
): Promise<TokenAnswer> {
  const jwt = await assertion(key, client, tokenUrl(at));
  return send(tokenUrl(at), formOf(jwt, { scope }));
}
