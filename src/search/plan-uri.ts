import type { ReferenceTest, UriTest } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

type AskedUri = Extract<SearchValue, { kind: 'uri' }>;
type AskedUrl = Extract<SearchValue, { kind: 'url' }>;

/** What a path segment, a fragment or a version of a URI begins with. */
const BELOW = ['/', '#', '|'] as const;

/** https://hl7.org/fhir/R4/search.html#uri: exact, or by path segments. */
export function toUriTests({ uri, match }: AskedUri): readonly UriTest[] {
  switch (match) {
    case 'exact':
      return [{ value: uri }];
    case 'below': {
      const start = withoutSlash(uri);
      return [{ value: start }, ...BELOW.map((mark) => ({ prefix: start + mark }))];
    }
    case 'above':
      return ancestorsOf(uri).flatMap((value) => [{ value }, { value: `${value}/` }]);
  }
}

/**
 * Absolute and canonical URLs (https://hl7.org/fhir/R4/search.html#reference). With a version, `below` and `above` go
 * by its parts: `1.2` is above `1.2.3`, and no version is above all.
 */
export function toUrlTests({ url, match }: AskedUrl): readonly ReferenceTest[] {
  const bar = url.indexOf('|');
  if (match === 'exact') return [{ kind: 'url', url, anyVersion: bar < 0 }];
  if (bar < 0) return toAnyVersion(url, match);
  if (match === 'below')
    return [
      { kind: 'url', url, anyVersion: false },
      { kind: 'urlPrefix', prefix: `${url}.` },
    ];
  const parts = url.slice(bar + 1).split('.');
  const versions = parts.map((_, count) => `${url.slice(0, bar)}|${parts.slice(0, count + 1).join('.')}`);
  return [url.slice(0, bar), ...versions].map((one) => ({ kind: 'url', url: one, anyVersion: false }));
}

function toAnyVersion(url: string, match: 'below' | 'above'): readonly ReferenceTest[] {
  if (match === 'above') return ancestorsOf(url).map((one) => ({ kind: 'url', url: one, anyVersion: true }));
  const start = withoutSlash(url);
  return [
    { kind: 'url', url: start, anyVersion: true },
    { kind: 'urlPrefix', prefix: `${start}/` },
  ];
}

/** The URI, and what is left of it while segments are taken away, down to `scheme://authority`. */
function ancestorsOf(uri: string): readonly string[] {
  const path = uri.replace(/[#|].*$/s, '');
  const ancestors = path === uri ? [] : [uri];
  const authority = /^[^/]*:\/\/[^/]*/.exec(path)?.[0].length ?? 0;
  for (let end = path.length; end > authority; end = path.lastIndexOf('/', end - 1)) {
    ancestors.push(withoutSlash(path.slice(0, end)));
  }
  if (authority > 0) ancestors.push(path.slice(0, authority));
  return [...new Set(ancestors)];
}

function withoutSlash(uri: string): string {
  return uri.endsWith('/') ? uri.slice(0, -1) : uri;
}
