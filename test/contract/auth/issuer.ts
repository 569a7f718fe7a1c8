import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import type { Settings } from '../../../src/settings/schema.js';

/** What a token may say besides; `undefined` leaves a claim out. */
export type Claims = JWTPayload & { readonly scope?: unknown };

/** An issuer of tokens on a port of its own. */
export interface LocalIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** How often the key set was asked for. */
  readonly fetches: () => number;
  /** How often tokens were asked about. */
  readonly introspections: () => number;
  /** A token of ten minutes for everything, unless the claims say otherwise. */
  readonly token: (claims?: Claims, header?: Partial<JWTHeaderParameters>) => Promise<string>;
  /** From now on tokens are signed by a new key, and the old one is withdrawn. */
  readonly rotate: () => Promise<void>;
  /** What is answered about a token that is no JWT. */
  readonly introspected: Map<string, object>;
  /** Answers everything with 500 from now on. */
  readonly fail: () => void;
  readonly settings: Partial<Settings>;
}

export const AUDIENCE = 'https://fhir.example/api';
export const ADMIN = 'bulkhead.admin';
const CLIENT = { id: 'bulk head', secret: 's%cret:ö' };

interface Signer {
  readonly kid: string;
  readonly key: CryptoKey;
  readonly publicKey: object;
}

/** Whatever knows what to end in the end. */
type Teardown = Pick<ExecutionContext, 'teardown'>;

/** Starts an issuer that ends with the test. */
export async function startIssuer(t: Teardown): Promise<LocalIssuer> {
  let signer = await aSigner(1);
  let fetches = 0;
  let introspections = 0;
  let isBroken = false;
  const introspected = new Map<string, object>();
  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    if (isBroken) return undefined;
    switch (request.url) {
      case '/.well-known/openid-configuration':
        return { issuer, jwks_uri: `${issuer}/jwks.json` };
      case '/jwks.json':
        fetches += 1;
        return { keys: [signer.publicKey] };
      case '/introspect':
        introspections += 1;
        return introspect(request, introspected);
      default:
        return undefined;
    }
  };
  const issuer = await listen(t, async (request, response) => {
    const body = await answer(request);
    response.writeHead(body ? 200 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  });
  return {
    issuer,
    audience: AUDIENCE,
    jwksUrl: `${issuer}/jwks.json`,
    fetches: () => fetches,
    introspections: () => introspections,
    token: (claims = {}, header = {}) => sign(signer, { iss: issuer, ...claims }, header),
    rotate: async () => {
      signer = await aSigner(Number(signer.kid) + 1);
    },
    introspected,
    fail: () => {
      isBroken = true;
    },
    settings: { auth: 'on', tokenIssuer: issuer, tokenAudience: AUDIENCE, ...introspectionBy(issuer) },
  };
}

/** Listens on a free port; gives back its origin. */
export async function listen(
  t: Teardown,
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function introspectionBy(issuer: string): Partial<Settings> {
  return {
    tokenIntrospectionUrl: `${issuer}/introspect`,
    tokenIntrospectionClientId: CLIENT.id,
    tokenIntrospectionClientSecret: CLIENT.secret,
  };
}

async function introspect(request: IncomingMessage, known: ReadonlyMap<string, object>): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const basic = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
  const [id, secret] = basic.split(':').map((part) => new URLSearchParams(`v=${part}`).get('v'));
  if (id !== CLIENT.id || secret !== CLIENT.secret) throw new Error('Another client introspects.');
  const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('token') ?? '';
  return known.get(token) ?? { active: false };
}

async function aSigner(number: number): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = String(number);
  return {
    kid,
    key: privateKey,
    publicKey: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
  };
}

/** A token of ten minutes that grants everything everywhere. */
function sign({ kid, key }: Signer, claims: Claims, header: Partial<JWTHeaderParameters>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const usual = { aud: AUDIENCE, sub: 'somebody', iat: now, exp: now + 600, scope: 'system/*.cruds' };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'ES256', kid, ...header }).sign(key);
}
