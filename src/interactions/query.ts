import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';

const NO_PARAMETERS: readonly QueryParameter[] = [];

/**
 * `application/x-www-form-urlencoded` text of a URL, a form or a condition: repeated names kept, in order.
 * @throws FhirError INVALID_REQUEST for broken escapes, NUL and invalid UTF-8.
 */
export function parseQuery(query: string): readonly QueryParameter[] {
  if (query === '') return NO_PARAMETERS;
  if (/%(?![0-9A-Fa-f]{2})/.test(query))
    throw new FhirError('INVALID_REQUEST', 'The query has a broken percent escape.');
  const parameters = [...new URLSearchParams(query)];
  if (parameters.some(([name, value]) => isUnreadable(name) || isUnreadable(value))) {
    throw new FhirError(
      'INVALID_REQUEST',
      'The query has a character that is not allowed (NUL or invalid UTF-8).',
    );
  }
  return parameters;
}

function isUnreadable(text: string): boolean {
  return text.includes('\0') || text.includes('\uFFFD');
}
