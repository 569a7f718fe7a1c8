import type { ReferenceTest, UriTest } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

type AskedUri = Extract<SearchValue, { kind: 'uri' }>;
type AskedUrl = Extract<SearchValue, { kind: 'url' }>;

/** More URIs than this are asked for as a list: one test, whose statement is the same for any number. */
const MOST_TESTS = 8;

/** https://hl7.org/fhir/R4/search.html#uri: exact, or by path segments. */
export function toUriTests(asked: readonly AskedUri[]): readonly UriTest[] {
  const below = asked
    .filter(({ match }) => match === 'below')
    .map(({ uri }) => ({ below: withoutSlash(uri) }));
  const unequal = asked.filter(({ match }) => match === 'unequal').map(({ uri }) => ({ unequal: uri }));
  const values = [...new Set(asked.flatMap(toWhole))];
  const whole = values.length > MOST_TESTS ? [{ values }] : values.map((value) => ({ value }));
  return [...below, ...unequal, ...whole];
}

/** The whole URIs that a value stands for. */
function toWhole({ uri, match }: AskedUri): readonly string[] {
  switch (match) {
    case 'exact':
      return [uri];
    case 'below':
    case 'unequal':
      return [];
    case 'above':
      return ancestorsOf(uri).flatMap((value) => [value, `${value}/`]);
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
  return [{ kind: 'urls', urls: [url.slice(0, bar), ...versions] }];
}

function toAnyVersion(url: string, match: 'below' | 'above'): readonly ReferenceTest[] {
  if (match === 'above')
    return [
      { kind: 'url', url, anyVersion: true },
      { kind: 'urls', urls: ancestorsOf(url) },
    ];
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
