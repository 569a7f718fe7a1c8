import { FhirError } from '../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  NON_PARTITIONABLE_TYPES,
  type Partition,
  type PartitionScope,
} from '../model/partition.js';
import { isTenantGranted, type Principal, principalOf } from '../model/principal.js';
import type { RequestDetails } from '../model/request.js';

/** What was selected for an interaction. */
interface Selected {
  readonly partitions: readonly Partition[];
  readonly all: boolean;
  readonly types: PartitionScope['types'];
}

/**
 * What is selected for a request, if its token grants that: 403 for everything else, whether it exists or not. Without
 * a grant of DEFAULT only definitions are read there, by anybody who was let in.
 * @param reads - the type that is read and not changed; undefined for everything else
 * @throws FhirError FORBIDDEN
 */
export function granted<Selection extends Selected>(
  request: RequestDetails,
  reads: string | undefined,
  select: () => Selection,
): Selection {
  const principal = knownPrincipal(request);
  if (principal.tenants.kind === 'all') return select();
  const selection = knownOrForbidden(select);
  if (!selection.all && selection.partitions.every((partition) => isGranted(principal, partition))) {
    return selection;
  }
  if (isDefaultAlone(selection) && reads !== undefined && NON_PARTITIONABLE_TYPES.has(reads)) {
    return { ...selection, types: NON_PARTITIONABLE_TYPES };
  }
  throw notGranted();
}

/** What everybody reads through a tenant's URL is not changed through it. @throws FhirError FORBIDDEN */
export function assertMayChange(request: RequestDetails, { partitions }: Selected): void {
  const principal = knownPrincipal(request);
  if (!partitions.every((partition) => isGranted(principal, partition))) throw notGranted();
}

/**
 * Who asks. Authentication has noted it in every request that comes here; one that says nothing gets nothing.
 * @throws FhirError FORBIDDEN
 */
export function knownPrincipal(request: RequestDetails): Principal {
  const principal = principalOf(request);
  if (principal === undefined) throw notGranted();
  return principal;
}

/** Whoever manages the server does so in DEFAULT. */
function isGranted({ tenants, admin }: Principal, { id, name }: Partition): boolean {
  return isTenantGranted(tenants, name) || (admin && id === DEFAULT_PARTITION_ID);
}

function isDefaultAlone({ partitions, all }: Selected): boolean {
  return !all && partitions.every(({ id }) => id === DEFAULT_PARTITION_ID);
}

function knownOrForbidden<Selection>(select: () => Selection): Selection {
  try {
    return select();
  } catch (error) {
    throw error instanceof FhirError && error.code === 'UNKNOWN_PARTITION' ? notGranted() : error;
  }
}

function notGranted(): FhirError {
  return new FhirError('FORBIDDEN', 'The token does not grant this tenant.');
}
