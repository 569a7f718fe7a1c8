/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export type TokenErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'unsupported_response_type';

/** What a client is told that gets no token. Whatever would tell clients of others apart has one message. */
export class TokenError extends Error {
  override readonly name = 'TokenError';

  constructor(
    readonly code: TokenErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A client that is unknown, disabled or another's, a key that is not its own, a signature that does not fit. */
export function notAuthenticated(): TokenError {
  return new TokenError('invalid_client', 'The client is not known, or the assertion is not signed by it.');
}
