/** history of an instance, a type and the server: https://hl7.org/fhir/R4/http.html#history */
import { dateRange } from '../fhir/date-range.js';
import { isLenient } from '../fhir/prefer.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import { assertPageFits } from '../search/bundle.js';
import type { HistoryKey, HistoryQuery, StoredVersion } from '../storage/store.js';
import { notFound, onlyOne } from './find.js';
import { looksServerAssigned } from './new-id.js';
import { presentableParameters, presentationOf } from './presentation.js';
import { jsonResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentText, showListed, type ShownVersion } from './show.js';

const KNOWN = new Set(['_since', '_at', '_count']);
const PASSED_OVER = new Set(['_format', '_pretty', '_summary', '_elements']);

/** What a history page link remembers besides the scope. */
export interface HistoryPage {
  readonly kind: 'history';
  readonly type: string | null;
  readonly id: string | null;
  readonly parameters: readonly QueryParameter[];
  readonly after: HistoryKey;
}

export async function history(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await server.resolver.resolveRead(request);
  const { resourceType, resourceId } = request;
  const parameters = understood(request);
  const key = {
    ...(resourceType === undefined ? {} : { type: resourceType }),
    ...(resourceId === undefined ? {} : { id: resourceId }),
  };
  const query = { ...key, ...parseHistoryQuery(server, parameters) };
  return historyPage(server, { ...request, parameters }, { scope, query });
}

/** A further page; the caller has checked the link and the scope. */
export async function followHistoryPage(
  server: ServerParts,
  request: RequestDetails,
  { scope, page }: { readonly scope: PartitionScope; readonly page: HistoryPage },
): Promise<OutgoingResponse> {
  const query: HistoryQuery = {
    ...(page.type === null ? {} : { type: page.type }),
    ...(page.id === null ? {} : { id: page.id }),
    ...parseHistoryQuery(server, page.parameters),
    after: page.after,
  };
  return historyPage(server, { ...request, parameters: page.parameters }, { scope, query });
}

async function historyPage(
  server: ServerParts,
  request: RequestDetails,
  { scope, query }: { readonly scope: PartitionScope; readonly query: HistoryQuery },
): Promise<OutgoingResponse> {
  if (query.id !== undefined && query.type !== undefined) {
    const holders = await server.resources.read(scope, query.type, query.id);
    if (!onlyOne(server, holders)) throw notFound(query.type, query.id);
  }
  const total = await server.resources.countHistory(scope, query);
  const found =
    query.count === 0 ? [] : await server.resources.history(scope, { ...query, count: query.count + 1 });
  const versions = found.slice(0, query.count);
  const last = found.length > query.count ? versions.at(-1) : undefined;
  const presentation = presentationOf(request);
  const shown = await showListed(server, request, versions, presentation);
  const links = [link('self', selfUrl(request, query))];
  if (last) links.push(link('next', server.searcher.pageUrl(request, scope, toPage(request, query, last))));
  return jsonResponse(200, presentText(toBundle(server, request, { total, links, shown }), presentation));
}

function toPage(request: RequestDetails, query: HistoryQuery, last: StoredVersion): HistoryPage {
  const { updated, rowId, version } = last;
  const after = { updated, rowId, version };
  return {
    kind: 'history',
    type: query.type ?? null,
    id: query.id ?? null,
    parameters: request.parameters,
    after,
  };
}

/** With `Prefer: handling=lenient` what history does not know is left out, of the self link too. */
function understood(request: RequestDetails): readonly QueryParameter[] {
  const parameters = presentableParameters(request);
  return isLenient(request)
    ? parameters.filter(([name]) => KNOWN.has(name) || PASSED_OVER.has(name))
    : parameters;
}

/** @throws FhirError INVALID_SEARCH, UNKNOWN_SEARCH_PARAMETER */
function parseHistoryQuery(
  server: ServerParts,
  parameters: readonly QueryParameter[],
): Omit<HistoryQuery, 'type' | 'id'> {
  const { defaultPageSize, maxPageSize } = server.settings;
  let query: Omit<HistoryQuery, 'type' | 'id'> = { count: defaultPageSize };
  const given = new Set<string>();
  for (const [name, value] of parameters) {
    if (KNOWN.has(name) && given.has(name)) throw new FhirError('INVALID_SEARCH', `Give ${name} once.`);
    given.add(name);
    if (name === '_count') query = { ...query, count: Math.min(parseCount(value), maxPageSize) };
    else if (name === '_since') query = { ...query, since: parseTime(name, value).low };
    else if (name === '_at') query = { ...query, at: parseTime(name, value) };
    else if (!PASSED_OVER.has(name)) {
      throw new FhirError(
        'UNKNOWN_SEARCH_PARAMETER',
        `History has no parameter '${name.slice(0, 80)}'; it has _since, _at and _count.`,
      );
    }
  }
  return isCountAlone(parameters) ? { ...query, count: 0 } : query;
}

function isCountAlone(parameters: readonly QueryParameter[]): boolean {
  return parameters.some(([name, value]) => name === '_summary' && value === 'count');
}

function parseCount(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new FhirError('INVALID_SEARCH', `_count must be a whole number, not '${value.slice(0, 40)}'.`);
}

function parseTime(name: string, value: string): { readonly low: number; readonly high: number } {
  const range = dateRange(value);
  if (range) return range;
  throw new FhirError('INVALID_SEARCH', `${name} must be a date or an instant, not '${value.slice(0, 40)}'.`);
}

function selfUrl(request: RequestDetails, query: HistoryQuery): string {
  const path = [query.type, query.id, '_history'].filter((part) => part !== undefined).join('/');
  const search = new URLSearchParams(
    request.parameters.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  return `${request.base}/${path}${search === '' ? '' : `?${search}`}`;
}

function link(relation: string, url: string): string {
  return JSON.stringify({ relation, url });
}

function toBundle(
  server: ServerParts,
  request: RequestDetails,
  { total, links, shown }: { total: number; links: readonly string[]; shown: readonly ShownVersion[] },
): string {
  const entries = shown.map((one) => toEntry(server, request, one));
  assertPageFits(entries);
  const head = `{"resourceType":"Bundle","type":"history","total":${total},"link":[${links.join(',')}]`;
  return entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}`;
}

/** What was called is not stored: a first version whose id has the form of the server's own was a POST. */
function methodOf(server: ServerParts, { id, version, deleted }: StoredVersion): 'POST' | 'PUT' | 'DELETE' {
  if (deleted) return 'DELETE';
  return version === 1 && looksServerAssigned(id, server.settings.serverIds) ? 'POST' : 'PUT';
}

function toEntry(
  server: ServerParts,
  request: RequestDetails,
  { version: stored, text }: ShownVersion,
): string {
  const { type, id, version, updated, deleted } = stored;
  const key = `${type}/${id}`;
  const method = methodOf(server, stored);
  const status = deleted ? '204 No Content' : version === 1 ? '201 Created' : '200 OK';
  const rest = JSON.stringify({
    request: { method, url: method === 'POST' ? type : key },
    response: { status, etag: `W/"${version}"`, lastModified: new Date(updated).toISOString() },
  });
  const resource = text === null ? '' : `"resource":${text},`;
  return `{"fullUrl":${JSON.stringify(`${request.base}/${key}`)},${resource}${rest.slice(1)}`;
}
