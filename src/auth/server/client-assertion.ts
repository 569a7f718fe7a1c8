import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { TokenError } from './token-error.js';

/** The algorithms that a client may sign with: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html */
export const ASSERTION_ALGORITHMS = ['RS384', 'ES384'] as const;

/** How a client authenticates itself: https://www.rfc-editor.org/rfc/rfc7523 */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An assertion that says what it should; whether the client has signed it is another matter. */
export interface ClientAssertion {
  /** As it was sent. */
  readonly jwt: string;
  readonly algorithm: (typeof ASSERTION_ALGORITHMS)[number];
  readonly kid: string;
  /** Where its key is said to be; undefined where nothing is said. */
  readonly jku: string | undefined;
  readonly client: string;
  readonly jti: string;
  /** Milliseconds since 1970 UTC. */
  readonly expires: number;
}

/** What an assertion is held against. */
export interface AssertionRules {
  /** URL of the token endpoint, as clients call it. */
  readonly audience: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** The `client_id` beside the assertion; undefined where there is none. */
  readonly clientId?: string | undefined;
}

const MOST_LIFETIME_MS = 5 * 60 * 1000;
/** Clocks differ, and clients round: SMART's own signs for 301 seconds. */
export const LEEWAY_MS = 30_000;
const MOST_CHARACTERS = 16_384;
const MOST_JTI = 1_000;
const MOST_CLIENT = 128;

/**
 * Reads an assertion, and looks at everything that needs no knowledge of clients: so that what is wrong with it can be
 * said without telling which clients there are.
 * @throws TokenError invalid_client
 */
export function readAssertion(jwt: string, { audience, now, clientId }: AssertionRules): ClientAssertion {
  const { header, claims } = decode(jwt);
  const { alg, kid, jku, typ } = header;
  const algorithm = ASSERTION_ALGORITHMS.find((known) => known === alg);
  if (algorithm === undefined)
    throw invalid(`The assertion must be signed with ${ASSERTION_ALGORITHMS.join(' or ')}.`);
  if (typ !== undefined && !/^(application\/)?jwt$/i.test(typ))
    throw invalid('The typ of the assertion must be JWT.');
  if (typeof kid !== 'string' || kid === '') throw invalid('The header of the assertion needs a kid.');
  if (jku !== undefined && typeof jku !== 'string') throw invalid('The jku of the assertion must be a URL.');
  if (header.crit !== undefined) throw invalid('The assertion demands an extension that is not known.');
  const { client, jti } = readNames(claims);
  // https://www.rfc-editor.org/rfc/rfc7521#section-4.2
  if (clientId !== undefined && clientId !== client)
    throw invalid('The client_id must be the iss of the assertion, or be left out.');
  if (![claims.aud].flat().includes(audience))
    throw invalid('The aud of the assertion must be the URL of the token endpoint.');
  return { jwt, algorithm, kid, jku, client, jti, expires: readTimes(claims, now) };
}

function decode(jwt: string): { readonly header: ProtectedHeaderParameters; readonly claims: JWTPayload } {
  if (jwt.length > MOST_CHARACTERS) throw invalid('The assertion is too long.');
  try {
    return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) };
  } catch {
    throw invalid('The assertion is not a JWT.');
  }
}

function readNames({ iss, sub, jti }: JWTPayload): Pick<ClientAssertion, 'client' | 'jti'> {
  if (typeof iss !== 'string' || iss === '' || iss !== sub || iss.length > MOST_CLIENT)
    throw invalid('The iss and the sub of the assertion must both be the client id.');
  if (typeof jti !== 'string' || jti === '' || jti.length > MOST_JTI)
    throw invalid('The assertion needs a jti that is new each time.');
  return { client: iss, jti };
}

function readTimes({ exp, nbf, iat }: JWTPayload, now: number): number {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw invalid('The assertion needs an exp.');
  const expires = exp * 1000;
  if (expires <= now - LEEWAY_MS) throw invalid('The assertion has expired.');
  if (expires > now + MOST_LIFETIME_MS + LEEWAY_MS)
    throw invalid('The exp of the assertion must be at most five minutes ahead.');
  for (const [name, time] of Object.entries({ nbf, iat })) {
    if (time === undefined) continue;
    if (typeof time !== 'number' || time * 1000 > now + LEEWAY_MS)
      throw invalid(`The ${name} of the assertion is in the future.`);
  }
  return expires;
}

function invalid(message: string): TokenError {
  return new TokenError('invalid_client', message);
}
