import { FhirError } from '../model/errors.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { QueryParameter } from '../model/request.js';
import { MOST_RELEVANT, type SearchRow } from '../storage/search-store.js';
import type { SearchResult } from './run.js';
import type { SearchPlace, SearchRequest } from './search-request.js';

/** How a result is printed. */
export interface BundleStyle {
  /** The base that everything begins with: server and tenant, no trailing slash. */
  readonly base: string;
  /** The base of a row that has another; undefined: it has none. */
  readonly baseOf?: (row: SearchRow) => string | undefined;
  /** The token that was followed to this page; undefined on the first one. */
  readonly page?: string | undefined;
  /** The self link, where it is not the search's own. */
  readonly self?: string;
  /** What `_format` and `_pretty` said; its links say it too, so that pages are alike. */
  readonly writing?: readonly QueryParameter[];
  /** The JSON text of a row as it is served; the stored text where left out. */
  readonly render?: (row: SearchRow) => string;
}

/** Most characters of a page's entries; a JavaScript text cannot be much longer than twice as many. */
const MAX_PAGE = 256 * 2 ** 20;

const TRUNCATED: OutcomeIssue = {
  severity: 'warning',
  code: 'too-costly',
  diagnostics: 'More resources were to be included than the server adds to a page; the rest was left out.',
};

/**
 * A searchset Bundle (https://hl7.org/fhir/R4/bundle.html#searchset) as JSON text, put together around the stored
 * texts: resources are neither parsed nor printed again.
 */
export function toSearchBundle(result: SearchResult, style: BundleStyle): string {
  // Types and ids need no escapes, so that all of a full URL is prepared but its end.
  const writer = { style, urlBegin: toUrlBegin(style.base) };
  const entries = [
    ...result.matches.map((row) => resourceEntry(row, matchOf(row, result), writer)),
    ...result.included.map((row) => resourceEntry(row, INCLUDED, writer)),
    ...outcomeEntries(result),
  ];
  assertPageFits(entries);
  const total = result.total === undefined ? '' : `,"total":${result.total}`;
  const begin = `{"resourceType":"Bundle","type":"searchset"${total},"link":${links(result, style)}`;
  return entries.length === 0 ? `${begin}}` : `${begin},"entry":[${joined(entries)}]}`;
}

/** Added up instead of `join`: that would copy the page once more, before it is copied on its way out. */
function joined(entries: readonly string[]): string {
  return entries.reduce((text, entry) => `${text},${entry}`);
}

/** A page is one text in memory. @throws FhirError LIMIT_EXCEEDED where its entries are too large together. */
export function assertPageFits(entries: readonly string[]): void {
  const size = entries.reduce((sum, { length }) => sum + length, 0);
  if (size <= MAX_PAGE) return;
  throw new FhirError('LIMIT_EXCEEDED', 'The resources are too large for one page; send a smaller _count.');
}

/** The query that was applied, as a URL below the base. */
export function selfLink(base: string, place: SearchPlace, applied: readonly QueryParameter[]): string {
  return `${base}${pathOf(place)}${selfQuery(applied)}`;
}

/** Parameters as the end of a URL, with the question mark; empty where there are none. */
export function selfQuery(applied: readonly QueryParameter[]): string {
  const query = applied.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return query === '' ? '' : `?${query}`;
}

function pathOf({ type, compartment, everything }: SearchPlace): string {
  if (everything !== undefined)
    return `/${everything}${compartment === null ? '' : `/${compartment.id}`}/$everything`;
  if (compartment !== null) return `/${compartment.type}/${compartment.id}/${type ?? '*'}`;
  return type === null ? '' : `/${type}`;
}

/** The URL of a page, written as the client wants it. */
export function pageLink(base: string, token: string, writing?: readonly QueryParameter[]): string {
  return written(`${base}?_page=${token}`, writing);
}

function written(url: string, writing: readonly QueryParameter[] = []): string {
  const query = selfQuery(writing);
  return url.includes('?') ? `${url}${query.replace('?', '&')}` : `${url}${query}`;
}

function links(result: SearchResult, { base, page, self, writing }: BundleStyle): string {
  const { request, next } = result;
  const first = written(self ?? selfLink(base, request.place, served(request)), writing);
  const own = page === undefined ? first : pageLink(base, page, writing);
  const all = [{ relation: 'self', url: own }];
  if (page !== undefined) all.push({ relation: 'first', url: first });
  if (next !== undefined) all.push({ relation: 'next', url: pageLink(base, next, writing) });
  return JSON.stringify(all);
}

/** The parameters as they are served: a `_count` beyond the limit is the limit. */
function served({ applied, count }: SearchRequest): readonly QueryParameter[] {
  return applied.map((one) => (one[0] === '_count' ? ['_count', String(count)] : one));
}

/** How entries are written: `urlBegin` is the base as a JSON text that is not closed. */
interface EntryWriter {
  readonly style: BundleStyle;
  readonly urlBegin: string;
}

const MATCHED = '"mode":"match"';
const INCLUDED = '"mode":"include"';

/** https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.search.score */
function matchOf({ key }: SearchRow, { isRanked }: SearchResult): string {
  return isRanked ? `${MATCHED},"score":${Number(key[0]) / MOST_RELEVANT}` : MATCHED;
}

function toUrlBegin(base: string): string {
  return JSON.stringify(base).slice(0, -1);
}

function resourceEntry(row: SearchRow, how: string, { urlBegin, style }: EntryWriter): string {
  const other = style.baseOf?.(row);
  const begin = other === undefined ? urlBegin : toUrlBegin(other);
  const fullUrl = `${begin}/${row.type}/${row.id}${fragmentOf(row)}"`;
  return `{"fullUrl":${fullUrl},"resource":${style.render?.(row) ?? row.text},"search":{${how}}}`;
}

/** https://hl7.org/fhir/R4/search.html#contained */
function fragmentOf({ fragment }: SearchRow): string {
  return fragment === undefined ? '' : `#${JSON.stringify(fragment).slice(1, -1)}`;
}

/** What the client should know of the search besides its result. */
function outcomeEntries({ request, truncated }: SearchResult): string[] {
  const issue = [...request.ignored, ...(truncated ? [TRUNCATED] : [])];
  if (issue.length === 0) return [];
  return [
    JSON.stringify({ resource: { resourceType: 'OperationOutcome', issue }, search: { mode: 'outcome' } }),
  ];
}

/** What stands in a URL as it is. */
const PLAIN = /^[\w.~!*'()\-:/,$]*$/;
const READABLE: Readonly<Record<string, string>> = { '%3A': ':', '%2F': '/', '%2C': ',', '%24': '$' };

/** Readable where the URL allows it: the marks that search values are full of stay as they are. */
function encode(text: string): string {
  if (PLAIN.test(text)) return text;
  const encoded = encodeURIComponent(text);
  return encoded === text ? text : encoded.replaceAll(/%(?:3A|2F|2C|24)/g, (escape) => READABLE[escape]!);
}
