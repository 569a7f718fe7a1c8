import { createSearchParameterRegistry } from './fhir/search-parameters.js';
import { DEFAULT_PARTITION_ID } from './model/partition.js';
import type { PartitionResolver } from './partition/resolver.js';
import { LiveSearchParameters } from './search-parameters/live-search-parameters.js';
import { PartitionParameters } from './search-parameters/partition-parameters.js';
import { PublishedParameters } from './search-parameters/published-parameters.js';
import type { Settings } from './settings/schema.js';
import type { Storage } from './storage/storage.js';

/** What the search parameters of a server are made of. */
export interface ServerParameterParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly resolver: PartitionResolver;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Those that hold everywhere. */
export function makeParameters({
  settings,
  storage,
  resolver,
  clock,
}: ServerParameterParts): LiveSearchParameters {
  return new LiveSearchParameters({
    storage,
    scope: resolver.scopeOfJob(DEFAULT_PARTITION_ID),
    assignment: resolver.assignmentOfJob(DEFAULT_PARTITION_ID),
    foundation: new PublishedParameters(createSearchParameterRegistry(settings.fullText)),
    clock,
    isInForce: true,
  });
}

/** Those of single partitions, laid upon the shared ones. */
export function makePartitionParameters(
  { settings, storage, resolver, clock }: ServerParameterParts,
  shared: LiveSearchParameters,
): PartitionParameters {
  return new PartitionParameters({
    isEnabled: settings.partitionSearchParameters,
    shared,
    storage,
    scopeOf: (partition) => resolver.scopeOfJob(partition),
    assignmentOf: (partition) => resolver.assignmentOfJob(partition),
    clock,
  });
}
