import { requestOf } from '../export/export-request.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionId, PartitionScope } from '../model/partition.js';
import { ownerOf, principalOf } from '../model/principal.js';
import { type RequestDetails, SUBJECT } from '../model/request.js';
import type { ExportJob } from '../storage/export-store.js';
import { assertCovers } from './export-access.js';

/** An export that the caller may see, and where it was looked for. */
export interface FoundExport {
  readonly scope: PartitionScope;
  readonly job: ExportJob;
}

/** Where the status of an export is. */
export function statusUrl({ base }: Pick<RequestDetails, 'base'>, id: string): string {
  return `${base}/$export-poll-status?_jobId=${id}`;
}

/** The one partition that an export reads. @throws FhirError INVALID_REQUEST */
export function partitionOfExport(scope: PartitionScope): PartitionId {
  const partition = only(scope);
  if (partition !== undefined) return partition;
  throw new FhirError(
    'INVALID_REQUEST',
    'An export reads exactly one partition: ask for it under one tenant.',
  );
}

/** Who asks; null where callers are not told apart. */
export function askerOf(request: RequestDetails): string | null {
  const subject = request.attributes.get(SUBJECT);
  if (typeof subject === 'string') return subject;
  const principal = principalOf(request);
  return principal === undefined ? null : ownerOf(principal);
}

/**
 * The export of this id. One of another partition or of somebody else is none, and so is one that was cancelled, or
 * whose time is over.
 * @throws FhirError NOT_FOUND, in the same words for all of them; FORBIDDEN where the token does not cover it any more
 */
export async function findExport(
  server: ServerParts,
  request: RequestDetails,
  id: string,
): Promise<FoundExport> {
  const scope = await server.resolver.resolveRead(request);
  const isSearched = only(scope) !== undefined && UUID.test(id);
  const job = isSearched ? await server.exports.jobs.find(scope, id) : undefined;
  if (!job || job.owner !== askerOf(request) || !isThere(server, job)) throw unknownExport(id);
  assertCovers(request, requestOf(job));
  return { scope, job };
}

/** The same for every reason. */
export function unknownExport(id: string): FhirError {
  return new FhirError('NOT_FOUND', `There is no export '${id.slice(0, 80)}'.`);
}

/** When a job that has ended is removed; milliseconds since 1970 UTC. */
export function expiryOf({ exports }: ServerParts, { ended }: ExportJob): number {
  return (ended ?? Infinity) + exports.lifetime;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isThere(server: ServerParts, job: ExportJob): boolean {
  return job.state !== 'cancelled' && server.clock() < expiryOf(server, job);
}

function only({ partitions, all, types }: PartitionScope): PartitionId | undefined {
  const [first, ...others] = partitions;
  return all || others.length > 0 || types !== null ? undefined : first;
}
