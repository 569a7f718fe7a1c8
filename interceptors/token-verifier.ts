import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { FhirError } from '../src/index.js';

/** Which tokens are believed. */
export interface TokenVerifierOptions {
  /** Where the issuer publishes its keys (RFC 7517). */
  readonly jwksUrl: string;
  /** The `iss` that a token must have. */
  readonly issuer: string;
  /** The `aud` that a token must have, alone or among others. */
  readonly audience: string;
  /** Signature algorithms; only asymmetric ones. RS, PS and ES with SHA-256 and 384 if left out. */
  readonly algorithms?: readonly TokenAlgorithm[];
  /** How far clocks may differ, in seconds; 5 if left out. */
  readonly clockToleranceSeconds?: number;
  /** Milliseconds since 1970 UTC. */
  readonly clock?: () => number;
}

/** Algorithms in which whoever can verify cannot sign. */
export type TokenAlgorithm =
  'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';

/** Verifies a token and gives back its claims. */
export type TokenVerifier = (token: string) => Promise<JWTPayload>;

const ALGORITHMS: readonly TokenAlgorithm[] = ['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384'];
const MAX_REMEMBERED = 10_000;
/** A key that its issuer withdraws is believed for this long. */
const MAX_REMEMBERED_MS = 5 * 60 * 1000;
const KEY_SET_TIMEOUT_MS = 5_000;

interface Remembered {
  readonly claims: JWTPayload;
  readonly until: number;
}

/**
 * Verifies signature, issuer, audience and times against the issuer's key set, which is fetched when the first
 * token comes. A verified token is remembered by its hash until it expires, for five minutes at most.
 * @throws FhirError LOGIN_REQUIRED for a token that is not believed, BUSY while the keys cannot be had.
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? Date.now;
  const remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });
  const verify = signatureVerifier(options, clock);
  return async (token) => {
    const hash = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(hash);
    if (known && known.until > clock()) return known.claims;
    const claims = await verify(token);
    const until = Math.min((claims.exp ?? 0) * 1000, clock() + MAX_REMEMBERED_MS);
    remembered.set(hash, { claims, until });
    return claims;
  };
}

/** @returns The error for a request without a believable token (RFC 6750 section 3). */
export function loginRequired(message: string, challenge: string, cause?: unknown): FhirError {
  return new FhirError('LOGIN_REQUIRED', message, { headers: { 'www-authenticate': challenge }, cause });
}

function signatureVerifier(options: TokenVerifierOptions, clock: () => number): TokenVerifier {
  const keys = reachable(
    createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: KEY_SET_TIMEOUT_MS }),
  );
  const { issuer, audience, algorithms = ALGORITHMS, clockToleranceSeconds: clockTolerance = 5 } = options;
  return async (token) => {
    const currentDate = new Date(clock());
    const requiredClaims = ['iss', 'aud', 'exp'];
    const rules = {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance,
      currentDate,
      requiredClaims,
    };
    try {
      return (await jwtVerify(token, keys, rules)).payload;
    } catch (error) {
      throw error instanceof FhirError ? error : notBelieved(error);
    }
  };
}

/** Keys that cannot be fetched are the server's trouble, not the caller's. */
function reachable(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new FhirError('BUSY', 'Tokens cannot be verified at the moment.', {
        headers: { 'retry-after': '5' },
        cause: error,
      });
    }
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function notBelieved(cause: unknown): FhirError {
  const expired = cause instanceof errors.JWTExpired;
  const message = expired ? 'The bearer token has expired.' : 'The bearer token is not valid here.';
  const description = expired ? 'The token has expired' : 'The token is not valid here';
  return loginRequired(message, `Bearer error="invalid_token", error_description="${description}"`, cause);
}
