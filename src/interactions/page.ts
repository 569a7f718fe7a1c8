/** The further pages of searches and histories: https://hl7.org/fhir/R4/http.html#paging. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { isAboutWriting } from '../fhir/media-types.js';
import { FhirError } from '../model/errors.js';
import { NON_PARTITIONABLE_TYPES, type PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import { targetOf } from '../partition/resolver.js';
import type { PageState } from '../search/page-token.js';
import { typesNamed } from '../search/parse-types.js';
import { followHistoryPage, type HistoryPage } from './history.js';
import { assertShown, searchResponse } from './search.js';
import type { ServerParts } from './server-parts.js';
import { PAGE_PARAMETER } from './target.js';

type State = PageState | HistoryPage;

/** Follows a page link. Under another tenant than it was made for it does not exist. */
export async function followPage(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const token = request.parameters.find(([name]) => name === PAGE_PARAMETER)?.[1] ?? '';
  const other = request.parameters.find((one) => one[0] !== PAGE_PARAMETER && !isAboutWriting(one));
  if (other)
    throw new FhirError(
      'INVALID_PAGE_LINK',
      `A page link takes no further parameters, such as '${other[0].slice(0, 40)}'.`,
    );
  const { scope, state } = await openPage(server, request, token);
  const writing = request.parameters.filter(isAboutWriting);
  const parameters = [...state.parameters.filter((one) => !isAboutWriting(one)), ...writing];
  if (state.kind === 'history')
    return followHistoryPage(server, request, { scope, page: { ...state, parameters }, token });
  const { compartment } = state.place;
  if (compartment !== null) await assertShown(server, request, { scope, compartment });
  const result = await server.searcher.page(scope, request, state);
  return searchResponse(server, { ...request, parameters }, { result, page: token });
}

interface OpenPage {
  readonly scope: PartitionScope;
  readonly state: State;
}

/** What is kept in DEFAULT is read there through whichever tenant, page after page. */
async function openPage(server: ServerParts, request: RequestDetails, token: string): Promise<OpenPage> {
  const scope = await server.resolver.resolveRead(request);
  try {
    return { scope, state: server.searcher.openPage<State>(scope, token) };
  } catch (error) {
    if (!isUnknown(error)) throw error;
    const page = await openPinned(server, request, token);
    const types = typesOf(page.state);
    if (types.length === 0 || !types.every((type) => NON_PARTITIONABLE_TYPES.has(type))) throw error;
    return page;
  }
}

async function openPinned(server: ServerParts, request: RequestDetails, token: string): Promise<OpenPage> {
  const resourceType = pinnedTypeOf(server, await server.resolver.resolveRead(request), token);
  const scope = await server.resolver.resolveReadOf(request, { ...targetOf(request), resourceType });
  return { scope, state: server.searcher.openPage<State>(scope, token) };
}

/** Only pages of SearchParameters may hold a partition's own beside those of DEFAULT. */
function pinnedTypeOf(server: ServerParts, scope: PartitionScope, token: string): string {
  try {
    return typesOf(server.searcher.openPinnedPage<State>(scope, token))[0] ?? 'SearchParameter';
  } catch (error) {
    if (isUnknown(error) && server.settings.partitionSearchParameters) return 'SearchParameter';
    throw error;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof FhirError && error.code === 'UNKNOWN_PAGE_LINK';
}

/** The types that the pages are of; none where they may be of any. */
function typesOf(state: State): readonly string[] {
  const type = state.kind === 'history' ? state.type : state.place.type;
  if (type !== null) return [type];
  const isOfTenant = state.kind === 'history' || state.place.compartment !== null;
  return isOfTenant ? [] : (typesNamed(state.parameters) ?? []);
}
