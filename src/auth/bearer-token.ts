import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { loginRequired } from './login-required.js';

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The bearer token of a request (https://www.rfc-editor.org/rfc/rfc6750#section-2.1), that of its bundle for an entry;
 * undefined where it has none.
 * @throws FhirError INVALID_REQUEST for two, LOGIN_REQUIRED for one that cannot be read
 */
export function bearerTokenOf(request: RequestDetails): string | undefined {
  let outer = request;
  while (outer.parent !== undefined) outer = outer.parent;
  return bearerTokenIn(outer.headers.get('authorization') ?? []);
}

/** As `bearerTokenOf`, of the values of the header Authorization. */
export function bearerTokenIn(values: readonly string[]): string | undefined {
  const [value] = values;
  if (values.length > 1) {
    throw new FhirError('INVALID_REQUEST', 'The header Authorization may be sent only once.');
  }
  if (value === undefined || !/^bearer\b/i.test(value)) return undefined;
  const token = BEARER.exec(value)?.[1];
  if (token !== undefined) return token;
  throw loginRequired('The bearer token cannot be read.', 'Bearer error="invalid_request"');
}
