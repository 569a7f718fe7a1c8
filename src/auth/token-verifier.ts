import type { JWTPayload } from 'jose';
import { OutgoingCalls } from '../outgoing/outgoing-calls.js';
import type { TokenAlgorithm } from './issuers.js';
import { plainOrigins } from './plain-origins.js';
import { RememberedTokens } from './remembered-tokens.js';
import { remoteKeys } from './remote-keys.js';
import { verifyJwt } from './verify-jwt.js';

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
  /** Hosts and networks that may be called for keys although they are private; as the setting of this name. */
  readonly outgoingAllow?: readonly string[];
  /** Milliseconds since 1970 UTC. */
  readonly clock?: () => number;
}

/** Verifies a token and gives back its claims. */
export type TokenVerifier = (token: string) => Promise<JWTPayload>;

const ALGORITHMS: readonly TokenAlgorithm[] = ['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384'];
const TOLERANCE_SECONDS = 5;

/**
 * Verifies signature, issuer, audience and times against the issuer's key set, which is fetched when the first
 * token comes. A verified token is remembered by its hash until it expires, for five minutes at most.
 * @throws FhirError LOGIN_REQUIRED for a token that is not believed, BUSY while the keys cannot be had.
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { jwksUrl, issuer, audience, algorithms = ALGORITHMS, clock = Date.now } = options;
  const calls = new OutgoingCalls({ allow: options.outgoingAllow ?? [], origins: plainOrigins([jwksUrl]) });
  const keys = remoteKeys({ calls, url: () => jwksUrl, clock });
  const times = { clock, toleranceSeconds: options.clockToleranceSeconds ?? TOLERANCE_SECONDS };
  const remembered = new RememberedTokens<JWTPayload>(clock);
  return async (token) => {
    const known = remembered.get(token);
    if (known) return known;
    const claims = await verifyJwt(token, { issuer, audience, algorithms, keys }, times);
    remembered.set(token, claims, (claims.exp ?? 0) * 1000);
    return claims;
  };
}
