import { FhirError } from '../model/errors.js';

/** @returns The error for a request without a believable token (RFC 6750 section 3). */
export function loginRequired(message: string, challenge: string, cause?: unknown): FhirError {
  return new FhirError('LOGIN_REQUIRED', message, { headers: { 'www-authenticate': challenge }, cause });
}

/** @returns The error for a token that was looked at, and is not believed. */
export function tokenRefused(cause?: unknown): FhirError {
  return invalidToken('The bearer token is not valid here.', 'The token is not valid here', cause);
}

/** @returns The error for a token that is not believed any more. */
export function tokenExpired(cause?: unknown): FhirError {
  return invalidToken('The bearer token has expired.', 'The token has expired', cause);
}

/** @returns The error while a token cannot be judged, which is the server's trouble and not the caller's. */
export function cannotVerify(cause?: unknown): FhirError {
  return new FhirError('BUSY', 'Tokens cannot be verified at the moment.', {
    headers: { 'retry-after': '5' },
    cause,
  });
}

function invalidToken(message: string, description: string, cause: unknown): FhirError {
  return loginRequired(message, `Bearer error="invalid_token", error_description="${description}"`, cause);
}
