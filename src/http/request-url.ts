import { parseQuery } from '../interactions/query.js';
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
  if (!path.startsWith(basePath)) return undefined;
  if (path.length > basePath.length && path[basePath.length] !== '/') return undefined;
  const segments = path.slice(basePath.length + 1).split('/');
  if (segments[segments.length - 1] === '') segments.pop();
  for (let index = 0; index < segments.length; index++) segments[index] = decodeSegment(segments[index]!);
  return { segments, parameters: parseQuery(mark < 0 ? '' : url.slice(mark + 1)) };
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
