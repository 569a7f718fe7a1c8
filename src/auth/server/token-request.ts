import { ASSERTION_TYPE } from './client-assertion.js';
import { TokenError } from './token-error.js';

/** What a token request asks for. */
export interface TokenRequest {
  readonly scope: string;
  /** The JWT by which the client authenticates itself. */
  readonly assertion: string;
  /** Who it says it is besides; undefined where nothing is said. */
  readonly clientId: string | undefined;
}

const GRANT_TYPE = 'client_credentials';

/**
 * Reads the form of a token request: https://hl7.org/fhir/smart-app-launch/backend-services.html#obtain-access-token.
 * @throws TokenError invalid_request, unsupported_grant_type, invalid_client, invalid_scope
 */
export function readTokenRequest(form: string): TokenRequest {
  const parameters = new URLSearchParams(form);
  for (const name of new Set(parameters.keys())) {
    if (parameters.getAll(name).length > 1)
      throw new TokenError('invalid_request', `The parameter ${name.slice(0, 80)} was sent more than once.`);
  }
  const grantType = given(parameters, 'grant_type');
  if (grantType === undefined)
    throw new TokenError('invalid_request', `The parameter grant_type must be ${GRANT_TYPE}.`);
  if (grantType !== GRANT_TYPE)
    throw new TokenError('unsupported_grant_type', `The grant type must be ${GRANT_TYPE}.`);
  const assertion = readAssertionParameter(parameters);
  const scope = given(parameters, 'scope');
  if (scope === undefined) throw new TokenError('invalid_scope', 'The parameter scope is missing.');
  return { scope, assertion, clientId: given(parameters, 'client_id') };
}

function readAssertionParameter(parameters: URLSearchParams): string {
  if (parameters.has('client_secret')) throw severalMethods();
  if (given(parameters, 'client_assertion_type') !== ASSERTION_TYPE)
    throw new TokenError('invalid_request', `The parameter client_assertion_type must be ${ASSERTION_TYPE}.`);
  const assertion = given(parameters, 'client_assertion');
  if (assertion === undefined)
    throw new TokenError('invalid_request', 'The parameter client_assertion is missing.');
  return assertion;
}

/** A client authenticates itself in one way: https://www.rfc-editor.org/rfc/rfc6749#section-2.3 */
export function severalMethods(): TokenError {
  return new TokenError('invalid_request', 'A client authenticates itself by its assertion alone.');
}

/** An empty value counts as none: https://www.rfc-editor.org/rfc/rfc6749#section-3.2 */
function given(parameters: URLSearchParams, name: string): string | undefined {
  return parameters.get(name) || undefined;
}
