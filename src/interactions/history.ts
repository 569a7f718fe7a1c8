/** history of an instance, a type and the server: https://hl7.org/fhir/R4/http.html#history */
import { isAboutWriting } from '../fhir/media-types.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import { assertPageFits, pageLink } from '../search/bundle.js';
import type { HistoryKey, HistoryQuery, StoredVersion } from '../storage/store.js';
import { notFound, onlyOne } from './find.js';
import { historyParameters, parseHistoryQuery } from './history-query.js';
import { looksServerAssigned } from './new-id.js';
import { presentationOf } from './presentation.js';
import { jsonResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentText, showListed, type ShownVersion } from './show.js';

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
  const parameters = historyParameters(request);
  const key = {
    ...(resourceType === undefined ? {} : { type: resourceType }),
    ...(resourceId === undefined ? {} : { id: resourceId }),
  };
  const query = { ...key, ...parseHistoryQuery(server, parameters) };
  const asked = { ...request, parameters };
  return historyPage(server, asked, { scope, query, self: selfUrl(asked, query) });
}

/** A further page, and the token that was followed to it; the caller has checked the link and the scope. */
export async function followHistoryPage(
  server: ServerParts,
  request: RequestDetails,
  {
    scope,
    page,
    token,
  }: { readonly scope: PartitionScope; readonly page: HistoryPage; readonly token: string },
): Promise<OutgoingResponse> {
  const query: HistoryQuery = {
    ...(page.type === null ? {} : { type: page.type }),
    ...(page.id === null ? {} : { id: page.id }),
    ...parseHistoryQuery(server, page.parameters),
    after: page.after,
  };
  const self = pageLink(request.base, token, page.parameters.filter(isAboutWriting));
  return historyPage(server, { ...request, parameters: page.parameters }, { scope, query, self });
}

interface AskedPage {
  readonly scope: PartitionScope;
  readonly query: HistoryQuery;
  readonly self: string;
}

async function historyPage(
  server: ServerParts,
  request: RequestDetails,
  { scope, query, self }: AskedPage,
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
  const links = [link('self', self)];
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

/** What follows a deletion was created by an update. */
function statusOf({ deleted, version, revives = false }: StoredVersion): string {
  if (deleted) return '204 No Content';
  return version === 1 || revives ? '201 Created' : '200 OK';
}

function toEntry(
  server: ServerParts,
  request: RequestDetails,
  { version: stored, text }: ShownVersion,
): string {
  const { type, id, version, updated } = stored;
  const key = `${type}/${id}`;
  const method = methodOf(server, stored);
  const status = statusOf(stored);
  const rest = JSON.stringify({
    request: { method, url: method === 'POST' ? type : key },
    response: { status, etag: `W/"${version}"`, lastModified: new Date(updated).toISOString() },
  });
  const resource = text === null ? '' : `"resource":${text},`;
  return `{"fullUrl":${JSON.stringify(`${request.base}/${key}`)},${resource}${rest.slice(1)}`;
}
