import type { PartitionScope } from './model/partition.js';
import type { PartitionResolver } from './partition/resolver.js';
import { PlannedLimits } from './search/access-limits.js';
import { StoredDefinitions } from './search/stored-definitions.js';
import { Searcher, type SearcherParts } from './search/searcher.js';
import { DEFAULT_SEARCH_LIMITS } from './search/search-request.js';
import type { LiveSearchParameters } from './search-parameters/live-search-parameters.js';
import type { PartitionParameters } from './search-parameters/partition-parameters.js';
import type { ResourceStores } from './search-parameters/with-official-parameters.js';
import { withParameters } from './search-parameters/with-parameters.js';
import type { Settings } from './settings/schema.js';
import { toSearchLimits } from './storage-options.js';
import type { Storage } from './storage/storage.js';
import { withinAccess } from './storage/within-access.js';
import { withinTypes } from './storage/within-types.js';
import { Terminology } from './terminology/terminology.js';

/** What the search of a server, and the limits of tokens, are made of. */
export interface ServerSearchParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly parameters: PartitionParameters;
  readonly terminology: Terminology;
  readonly resolver: PartitionResolver;
  readonly clock: () => number;
}

/** The stores as interactions and operations see them: nobody gets around their limits. */
export function limitedStores(
  storage: Storage,
  limits: PlannedLimits,
  parameters: LiveSearchParameters,
): ResourceStores {
  return withParameters(withinAccess(withinTypes(storage), limits), parameters);
}

/** The limits of tokens, planned in stores that have none. */
export function makeLimits({
  storage,
  parameters,
  terminology,
  resolver,
  clock,
}: ServerSearchParts): PlannedLimits {
  return new PlannedLimits({
    store: withinTypes(storage).search,
    inForce: (scope) => parameters.ofScope(scope),
    codes: terminology,
    definitions: resolver.scopeOfDefinitions(),
    limits: DEFAULT_SEARCH_LIMITS,
    clock,
  });
}

/** Definitions that are kept in DEFAULT, the scope that is given, and what comes with R4. */
export function makeTerminology(
  { resources, search }: Pick<Storage, 'resources' | 'search'>,
  scope: PartitionScope,
  clock: () => number,
): Terminology {
  return new Terminology(new StoredDefinitions({ resources, search, scope, clock }));
}

/** The searcher of a server. */
export function makeSearcher(
  { settings, parameters, terminology, resolver, clock }: ServerSearchParts,
  others: Required<Pick<SearcherParts, 'store' | 'onStaleCopies' | 'secret'>>,
): Searcher {
  return new Searcher({
    ...others,
    inForce: (scope) => parameters.searchedBy(scope),
    codes: terminology,
    definitions: resolver.scopeOfDefinitions(),
    limits: toSearchLimits(settings),
    pageLifetime: settings.pageLinkTtlMinutes * 60_000,
    clock,
  });
}
