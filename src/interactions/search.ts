/** search: https://hl7.org/fhir/R4/search.html. */
import { isAboutWriting } from '../fhir/media-types.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  DEFAULT_PARTITION_NAME,
  NON_PARTITIONABLE_TYPES,
  type PartitionScope,
} from '../model/partition.js';
import type { CompartmentTarget, QueryParameter, RequestDetails } from '../model/request.js';
import { targetOf } from '../partition/resolver.js';
import { type BundleStyle, toSearchBundle } from '../search/bundle.js';
import { typesNamed } from '../search/parse-types.js';
import type { SearchResult } from '../search/run.js';
import { showMatches } from './contained-matches.js';
import { findCurrent, gone, notFound } from './find.js';
import { jsonResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { type Presentation, presentationOfSearch } from './presentation.js';
import { presentText, show, showRows } from './show.js';

export async function searchType(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await server.resolver.resolveRead(request);
  return search(server, request, scope);
}

/** Over several types: all of the server or of a compartment, or those that `_type` names. */
export async function searchSystem(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  return search(server, request, await scopeOfTypes(server, request));
}

async function search(
  server: ServerParts,
  request: RequestDetails,
  scope: PartitionScope,
): Promise<OutgoingResponse> {
  const { resourceType: type = null, compartment = null } = request;
  if (compartment !== null) await assertShown(server, request, { scope, compartment });
  const hooked = server.hooks.has('STORAGE_PRESEARCH_REGISTERED');
  const parameters = hooked ? await searchedParameters(server, request, scope) : request.parameters;
  const searched = parameters === request.parameters ? request : { ...request, parameters };
  const within = searched === request ? scope : await scopeOfTypes(server, searched);
  const asked = await server.searcher.parse(within, request, { type, compartment }, parameters);
  const result = await server.searcher.run(within, asked);
  return searchResponse(server, searched, { result, page: undefined });
}

/**
 * Types that are kept in DEFAULT for every tenant are searched there.
 * @throws FhirError INVALID_SEARCH where `_type` mixes them with a tenant's own
 */
async function scopeOfTypes(server: ServerParts, request: RequestDetails): Promise<PartitionScope> {
  const scope = await server.resolver.resolveRead(request);
  if (request.resourceType !== undefined || request.compartment !== undefined) return scope;
  const types = typesNamed(request.parameters) ?? [];
  const pinned = types.filter((type) => NON_PARTITIONABLE_TYPES.has(type));
  // Of the types that are kept in DEFAULT, only this one may be held by partitions too.
  const first = pinned.includes('SearchParameter') ? 'SearchParameter' : pinned[0];
  if (first === undefined || scope.all || isDefault(scope)) return scope;
  if (pinned.length === types.length)
    return server.resolver.resolveReadOf(request, { ...targetOf(request), resourceType: first });
  throw new FhirError(
    'INVALID_SEARCH',
    `Search parameter "_type": ${pinned.join(', ')} is kept in DEFAULT; search it apart from other types.`,
    { parameter: '_type' },
  );
}

function isDefault({ partitions }: PartitionScope): boolean {
  return partitions.length === 1 && partitions[0] === DEFAULT_PARTITION_ID;
}

/** The resource that a compartment belongs to can be read. @throws FhirError NOT_FOUND, GONE */
export async function assertShown(
  server: ServerParts,
  request: RequestDetails,
  { scope, compartment }: { readonly scope: PartitionScope; readonly compartment: CompartmentTarget },
): Promise<void> {
  const { type, id } = compartment;
  const found = await findCurrent(server, scope, type, id);
  const [shown] = found ? await show(server, request, [found], AS_STORED) : [];
  if (!shown) throw notFound(type, id);
  if (shown.text === null) throw gone(shown.version);
}

const AS_STORED: Presentation = { summary: undefined, elements: [], pretty: false };

async function searchedParameters(
  server: ServerParts,
  request: RequestDetails,
  scope: PartitionScope,
): Promise<readonly QueryParameter[]> {
  const partitions = scope.partitions.flatMap((id) => server.directory.byId(id) ?? []);
  const event = { request, resourceType: request.resourceType, partitions };
  return server.hooks.transform('STORAGE_PRESEARCH_REGISTERED', event, request.parameters);
}

/** A tenant's own SearchParameters may have the ids of the shared ones, which stand on the same page. */
function sharedBase(
  { settings }: ServerParts,
  { urlTenant, serverBase }: RequestDetails,
): Pick<BundleStyle, 'baseOf'> {
  if (!settings.partitionSearchParameters || urlTenant === undefined) return {};
  const shared = `${serverBase}/${DEFAULT_PARTITION_NAME}`;
  return {
    baseOf: ({ type, partition }) =>
      type === 'SearchParameter' && partition === DEFAULT_PARTITION_ID ? shared : undefined,
  };
}

/** A page as its Bundle; `page` is the token that was followed to it. */
export async function searchResponse(
  server: ServerParts,
  request: RequestDetails,
  { result, page }: { readonly result: SearchResult; readonly page: string | undefined },
): Promise<OutgoingResponse> {
  const presentation = presentationOfSearch(request, result.request);
  const matches = await showMatches(server, request, result.matches, presentation);
  const { included: found } = result;
  const included = found.length === 0 ? found : await showRows(server, request, found, presentation);
  const writing = request.parameters.filter(isAboutWriting);
  const style = { base: request.base, page, writing, ...sharedBase(server, request) };
  const text = toSearchBundle({ ...result, matches, included }, style);
  return jsonResponse(200, presentText(text, presentation));
}
