import { errors, jwtVerify } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';
import { FhirError } from '../model/errors.js';
import type { TokenIssuer } from './issuers.js';
import { tokenExpired, tokenRefused } from './login-required.js';

/** How times are judged. */
export interface TokenTimes {
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  /** How far clocks may differ, in seconds. */
  readonly toleranceSeconds: number;
}

/** What a token may be called: https://www.rfc-editor.org/rfc/rfc9068#name-header, and as most issuers do. */
const TYPES: ReadonlySet<string> = new Set(['at+jwt', 'application/at+jwt', 'jwt']);

/**
 * The claims of a JWT access token whose signature, issuer, audience and times are as they have to be. Keys come from
 * the issuer alone: what the token's header says about where to find one is not looked at.
 * @throws FhirError LOGIN_REQUIRED for a token that is not believed, BUSY while the keys cannot be had.
 */
export async function verifyJwt(
  token: string,
  { issuer, audience, algorithms, keys }: Omit<TokenIssuer, 'toPrincipal'>,
  { clock, toleranceSeconds }: TokenTimes,
): Promise<JWTPayload> {
  const now = clock();
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now),
      requiredClaims: ['iss', 'aud', 'exp'],
    });
    assertType(protectedHeader);
    assertUnbound(payload);
    assertIssued(payload, now / 1000 + toleranceSeconds);
    return payload;
  } catch (error) {
    if (error instanceof FhirError) throw error;
    throw error instanceof errors.JWTExpired ? tokenExpired(error) : tokenRefused(error);
  }
}

/** Other kinds of JWT, such as a client's assertion, are no access tokens. */
function assertType({ typ }: JWTHeaderParameters): void {
  if (typ !== undefined && !TYPES.has(String(typ).toLowerCase())) throw new Error('no access token');
}

/** A token that is bound to a key of its client is worth nothing to whoever shows it alone. */
function assertUnbound({ cnf }: JWTPayload): void {
  if (cnf !== undefined) throw new Error('the token is bound to a key');
}

function assertIssued({ iat }: JWTPayload, latest: number): void {
  if (iat !== undefined && !(iat <= latest)) throw new Error('the token comes from the future');
}
