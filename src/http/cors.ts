/** What a page may read of an answer besides what it always may. */
const EXPOSED = [
  'ETag, Last-Modified, Location, Content-Location, X-Request-Id, X-Progress, Retry-After, WWW-Authenticate, Allow',
  'Accept-Ranges, Content-Range, Content-Encoding, Content-Disposition',
  'RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Quota-Limit, Quota-Remaining',
].join(', ');
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const PREFLIGHT_SECONDS = '600';

/**
 * CORS headers for an origin, or none where it is not allowed. Credentials are never allowed: tokens travel in
 * the Authorization header, which needs no cookie.
 */
export function corsHeaders(origin: string | undefined, allowed: readonly string[]): Record<string, string> {
  if (origin === undefined) return {};
  const any = allowed.includes('*');
  if (!any && !allowed.includes(origin)) return {};
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
  };
}

/** Request headers that the CORS headers depend on, for Vary. */
export function corsVary(allowed: readonly string[]): readonly string[] {
  return allowed.includes('*') ? [] : ['Origin'];
}

/** Names of headers, as a browser lists them. */
const HEADER_NAMES = /^[A-Za-z0-9-]{1,64}(?:, ?[A-Za-z0-9-]{1,64}){0,31}$/;
const USUAL_HEADERS = 'Content-Type, Accept, Authorization, Prefer';

/** What a preflight is told besides. */
export function preflightHeaders(requestedHeaders: string | undefined): Record<string, string> {
  const asked = requestedHeaders !== undefined && HEADER_NAMES.test(requestedHeaders);
  return {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': asked ? requestedHeaders : USUAL_HEADERS,
    'access-control-max-age': PREFLIGHT_SECONDS,
    allow: METHODS,
  };
}
