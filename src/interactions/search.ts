/** search: https://hl7.org/fhir/R4/search.html, and the pages of searches and histories. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import { toSearchBundle } from '../search/bundle.js';
import type { PageState } from '../search/page-token.js';
import type { SearchResult } from '../search/run.js';
import { followHistoryPage, type HistoryPage } from './history.js';
import { jsonResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentationOf, presentText, showRows } from './show.js';
import { PAGE_PARAMETER } from './target.js';

export async function searchType(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType = '' } = request;
  const scope = await server.resolver.resolveRead(request);
  const hooked = server.hooks.has('STORAGE_PRESEARCH_REGISTERED');
  const parameters = hooked ? await searchedParameters(server, request, scope) : request.parameters;
  const result = await server.searcher.run(scope, server.searcher.parse(request, resourceType, parameters));
  const searched = parameters === request.parameters ? request : { ...request, parameters };
  return searchResponse(server, searched, { result, page: undefined });
}

/** Searches over all types are refused with a clear word instead of an answer that leaves something out. */
export async function searchSystem(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  await server.resolver.resolveRead(request);
  throw new FhirError('NOT_SUPPORTED', 'Search over all resource types is not supported; search one type.');
}

/** Follows a page link. Under another tenant than it was made for it does not exist. */
export async function followPage(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const token = request.parameters.find(([name]) => name === PAGE_PARAMETER)?.[1] ?? '';
  const other = request.parameters.find(
    ([name]) => name !== PAGE_PARAMETER && name !== '_format' && name !== '_pretty',
  );
  if (other)
    throw new FhirError(
      'INVALID_PAGE_LINK',
      `A page link takes no further parameters, such as '${other[0].slice(0, 40)}'.`,
    );
  const scope = await server.resolver.resolveRead(request);
  const state = server.searcher.openPage<PageState | HistoryPage>(scope, token);
  if (state.kind === 'history') return followHistoryPage(server, request, { scope, page: state });
  const result = await server.searcher.page(scope, request, state);
  return searchResponse(server, { ...request, parameters: state.parameters }, { result, page: token });
}

async function searchedParameters(
  server: ServerParts,
  request: RequestDetails,
  scope: PartitionScope,
): Promise<readonly QueryParameter[]> {
  const partitions = scope.partitions.flatMap((id) => server.directory.byId(id) ?? []);
  const event = { request, resourceType: request.resourceType, partitions };
  return server.hooks.transform('STORAGE_PRESEARCH_REGISTERED', event, request.parameters);
}

async function searchResponse(
  server: ServerParts,
  request: RequestDetails,
  { result, page }: { readonly result: SearchResult; readonly page: string | undefined },
): Promise<OutgoingResponse> {
  const presentation = presentationOf(request);
  const matches = await showRows(server, request, result.matches, presentation);
  const { included: found } = result;
  const included = found.length === 0 ? found : await showRows(server, request, found, presentation);
  const text = toSearchBundle({ ...result, matches, included }, { base: request.base, page });
  return jsonResponse(200, presentText(text, presentation));
}
