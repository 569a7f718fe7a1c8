import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';

/** No search has nearly as many; each costs something before it can be judged. */
const MOST_PAIRS = 10_000;

const NO_PARAMETERS: readonly QueryParameter[] = [];

/**
 * `application/x-www-form-urlencoded` text of a URL, a form or a condition: repeated names kept, in order.
 * @throws FhirError INVALID_REQUEST for broken escapes, NUL and invalid UTF-8, LIMIT_EXCEEDED
 */
export function parseQuery(query: string): readonly QueryParameter[] {
  if (query === '') return NO_PARAMETERS;
  if (/%(?![0-9A-Fa-f]{2})/.test(query))
    throw new FhirError('INVALID_REQUEST', 'The query has a broken percent escape.');
  const pairs = query.split('&', MOST_PAIRS + 1);
  if (pairs.length > MOST_PAIRS)
    throw new FhirError('LIMIT_EXCEEDED', `A query has at most ${MOST_PAIRS} parameters.`);
  const parameters = pairs.filter((pair) => pair !== '').map(toParameter);
  if (parameters.some(([name, value]) => isUnreadable(name) || isUnreadable(value))) throw unreadable();
  return parameters;
}

function toParameter(pair: string): QueryParameter {
  const equals = pair.indexOf('=');
  return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): FhirError {
  return new FhirError(
    'INVALID_REQUEST',
    'The query has a character that is not allowed (NUL or invalid UTF-8).',
    { cause },
  );
}

function isUnreadable(text: string): boolean {
  return text.includes('\0') || text.includes('\uFFFD');
}
