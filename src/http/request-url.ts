import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';

/** A request's URL, decoded: path segments below the base path, and the query. */
export interface RequestUrl {
  readonly segments: readonly string[];
  readonly parameters: readonly QueryParameter[];
}

/** Undefined where the URL is not below the base path. @throws FhirError INVALID_REQUEST for broken escapes. */
export function parseRequestUrl(url: string, basePath: string): RequestUrl | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (path !== basePath && !path.startsWith(`${basePath}/`)) return undefined;
  const segments = path.slice(basePath.length + 1).split('/');
  if (segments.at(-1) === '') segments.pop();
  return {
    segments: segments.map(decodeSegment),
    parameters: mark < 0 ? NO_PARAMETERS : parseQuery(url.slice(mark + 1)),
  };
}

const NO_PARAMETERS: readonly QueryParameter[] = [];

/** `application/x-www-form-urlencoded` text, repeated names kept, in order. */
export function parseQuery(query: string): readonly QueryParameter[] {
  if (query === '') return NO_PARAMETERS;
  if (/%(?![0-9A-Fa-f]{2})/.test(query)) throw brokenEscape();
  const parameters = [...new URLSearchParams(query)];
  if (parameters.some(([name, value]) => name.includes('\0') || value.includes('\0') || value.includes('\uFFFD'))) {
    throw new FhirError('INVALID_REQUEST', 'The query has a character that is not allowed (NUL or invalid UTF-8).');
  }
  return parameters;
}

/** An empty segment (`//`) or one that hides a separator is nothing that the server has given out. */
function decodeSegment(segment: string): string {
  if (segment === '') throw new FhirError('INVALID_REQUEST', 'The path has an empty segment.');
  if (!segment.includes('%')) return segment;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw brokenEscape(cause);
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[/\\\u0000-\u001f]/.test(decoded)) {
    throw new FhirError('INVALID_REQUEST', 'The path has an escaped character that is not allowed.');
  }
  return decoded;
}

function brokenEscape(cause?: unknown): FhirError {
  return new FhirError('INVALID_REQUEST', 'The URL has a broken percent escape.', { cause });
}
