import {
  type EntityTags,
  includesVersion,
  isModifiedSince,
  parseEntityTags,
  parseHttpTime,
} from '../fhir/conditional-headers.js';
import { parseStored } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StoredVersion } from '../storage/store.js';
import type { ServerParts } from './server-parts.js';

/**
 * The one holder of the id in the scope, deletions included.
 * @throws FhirError SEVERAL_MATCHES where the scope has several, with their tenants.
 */
export async function findCurrent(
  server: ServerParts,
  scope: PartitionScope,
  type: string,
  id: string,
): Promise<StoredVersion | undefined> {
  return onlyOne(server, await server.resources.read(scope, type, id));
}

/** @throws FhirError SEVERAL_MATCHES; see findCurrent. */
export function onlyOne(server: ServerParts, holders: readonly StoredVersion[]): StoredVersion | undefined {
  if (holders.length <= 1) return holders[0];
  const live = holders.filter(({ deleted }) => !deleted);
  if (live.length <= 1) return live[0] ?? holders[0];
  const tenants = live
    .map(({ partition }) => server.directory.byId(partition)?.name ?? String(partition))
    .join(', ');
  const [{ type, id }] = live as [StoredVersion];
  throw new FhirError('SEVERAL_MATCHES', `${type}/${id} exists in several partitions: ${tenants}.`);
}

/** The same words for an id never used and for one of another partition. */
export function notFound(type: string, id: string): FhirError {
  return new FhirError('NOT_FOUND', `${type}/${id} was not found.`);
}

export function gone(version: StoredVersion): FhirError {
  return new FhirError('GONE', `${version.type}/${version.id} was deleted.`, {
    headers: { etag: `W/"${version.version}"` },
  });
}

/** The content of a version that is not a deletion. */
export function contentOf(version: StoredVersion): Resource {
  if (version.text === null) throw gone(version);
  return parseStored(version.text) as Resource;
}

/** The value of a header that may be sent once. @throws FhirError INVALID_REQUEST when it was sent twice. */
export function singleHeader(request: RequestDetails, name: string): string | undefined {
  const values = request.headers.get(name);
  if (values === undefined || values.length <= 1) return values?.[0];
  throw new FhirError('INVALID_REQUEST', `The header ${name} was sent more than once.`);
}

/**
 * If-Match, If-Unmodified-Since and If-None-Match of a write. A resource that does not exist matches no If-Match.
 * @throws FhirError VERSION_MISMATCH, PRECONDITION_FAILED
 */
export function assertWritePreconditions(request: RequestDetails, current: StoredVersion | undefined): void {
  const live = current && !current.deleted ? current : undefined;
  assertStillSo(request, live);
  const ifNoneMatch = entityTags(request, 'If-None-Match');
  if (ifNoneMatch && live && includesVersion(ifNoneMatch, live.version)) {
    throw new FhirError('PRECONDITION_FAILED', 'The resource exists, which If-None-Match forbids.');
  }
}

/**
 * If-Match, and without it If-Unmodified-Since, of whatever is asked for: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
 * @throws FhirError VERSION_MISMATCH, PRECONDITION_FAILED
 */
export function assertStillSo(request: RequestDetails, current: StoredVersion | undefined): void {
  const ifMatch = entityTags(request, 'If-Match');
  if (ifMatch) {
    if (current && includesVersion(ifMatch, current.version)) return;
    throw new FhirError('VERSION_MISMATCH', 'The current version is not the one that If-Match names.');
  }
  const since = singleHeader(request, 'if-unmodified-since');
  if (since === undefined || !current) return;
  if (isModifiedSince(current, parseHttpTime(since, 'If-Unmodified-Since')))
    throw new FhirError('PRECONDITION_FAILED', 'The resource has changed since If-Unmodified-Since.');
}

export function entityTags(
  request: RequestDetails,
  header: 'If-Match' | 'If-None-Match',
): EntityTags | undefined {
  const text = singleHeader(request, header.toLowerCase());
  return text === undefined ? undefined : parseEntityTags(text, header);
}
