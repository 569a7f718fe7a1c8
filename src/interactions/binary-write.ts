/** create and update of a Binary from its content: https://hl7.org/fhir/R4/binary.html#rest */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionAssignment } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StagedBlob } from '../storage/blob-store.js';
import type { StoredVersion } from '../storage/store.js';
import { blobBinary, inlineBinary, type RawContent } from './binary.js';
import { assertWritePreconditions, findCurrent } from './find.js';
import { assertValid } from './incoming.js';
import { planCreation, planReplacement } from './plan-write.js';
import { assertMayClaimId } from './permission.js';
import { executeWrites, type PlannedWrite } from './planned-write.js';
import { writeResponse } from './response.js';
import type { ServerParts } from './server-parts.js';
import { assertClientId } from './update.js';

/** Up to here content is kept in the resource's own text. */
const MAX_INLINE_BYTES = 256 * 1024;

/** Where a raw Binary goes. */
interface Destination {
  readonly id: string;
  readonly assignment: PartitionAssignment;
  readonly current: StoredVersion | undefined;
}

/** The partition is decided before the first byte is stored; memory is bounded whatever the size. */
export async function writeRawBinary(
  server: ServerParts,
  request: RequestDetails,
  content: RawContent,
): Promise<OutgoingResponse> {
  assertUnconditional(request);
  const empty: Resource = inlineBinary(request, content.contentType, Buffer.alloc(0));
  const destination = await findDestination(server, request, empty);
  const { head, rest } = await readHead(content.stream);
  if (!rest) {
    const resource = inlineBinary(request, content.contentType, head);
    return writeBinary(server, request, { destination, resource, blob: undefined });
  }
  const blob = await server.blobs.stage(destination.assignment, rest);
  try {
    const resource = blobBinary(request, content.contentType, blob.id);
    return await writeBinary(server, request, { destination, resource, blob });
  } catch (error) {
    await server.blobs.discard(blob);
    throw error;
  }
}

/** A condition asks for a search before the content is read; nobody may take it for kept when it is not. */
function assertUnconditional({ interaction, resourceId, headers }: RequestDetails): void {
  const isConditional =
    headers.has('if-none-exist') || (interaction === 'update' && resourceId === undefined);
  if (!isConditional) return;
  const message =
    'Raw content cannot be written under a condition; send the Binary as application/fhir+json.';
  throw new FhirError('INVALID_REQUEST', message);
}

async function findDestination(
  server: ServerParts,
  request: RequestDetails,
  resource: Resource,
): Promise<Destination> {
  const { resourceId } = request;
  if (resourceId === undefined) {
    return {
      id: await server.newId(),
      assignment: await server.resolver.resolveCreate(request, resource),
      current: undefined,
    };
  }
  const scope = await server.resolver.resolveRead(request);
  const current = await findCurrent(server, scope, 'Binary', resourceId);
  assertWritePreconditions(request, current);
  if (current) return { id: resourceId, assignment: server.resolver.assignmentOf(current), current };
  assertClientId(server, resourceId);
  assertMayClaimId(request, 'Binary', resourceId);
  await server.hooks.veto('STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID', { request, resource });
  return { id: resourceId, assignment: await server.resolver.resolveCreate(request, resource), current };
}

async function writeBinary(
  server: ServerParts,
  request: RequestDetails,
  {
    destination,
    resource,
    blob,
  }: { destination: Destination; resource: Resource; blob: StagedBlob | undefined },
): Promise<OutgoingResponse> {
  await assertValid(server, request, resource);
  const { writes } = await executeWrites(server, request, async () => {
    const planned = await planBinary(server, request, { destination, resource });
    return { writes: [blob ? { ...planned, blob } : planned] as const };
  });
  return writeResponse(request, { ...writes[0].outcome, text: withoutContent(writes[0].outcome.text) });
}

/** An update that loses a race goes on from the version that won, where If-Match and If-None-Match still allow it. */
async function planBinary(
  server: ServerParts,
  request: RequestDetails,
  { destination, resource }: { readonly destination: Destination; readonly resource: Resource },
): Promise<PlannedWrite> {
  const { id, assignment } = destination;
  const scope = server.resolver.scopeOfAssignment(assignment);
  const current =
    request.resourceId === undefined ? undefined : await findCurrent(server, scope, 'Binary', id);
  assertWritePreconditions(request, current);
  if (current) return planReplacement(server, request, { resource, current });
  return planCreation(server, request, { resource, id, assignment, claim: undefined });
}

/** The client has the content; sending it back would only cost. */
function withoutContent(text: string | null): string | null {
  if (text === null) return null;
  const { data: _data, _data: _pointer, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

/** The whole content if it is small; else `rest` gives all of it, the beginning included. */
async function readHead(
  stream: AsyncIterable<Buffer>,
): Promise<{ readonly head: Buffer; readonly rest: AsyncIterable<Buffer> | undefined }> {
  const iterator = stream[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  let size = 0;
  for (;;) {
    const next = await iterator.next();
    if (next.done) return { head: Buffer.concat(parts, size), rest: undefined };
    parts.push(next.value);
    size += next.value.length;
    if (size > MAX_INLINE_BYTES) return { head: Buffer.alloc(0), rest: resume(parts, iterator) };
  }
}

async function* resume(parts: readonly Buffer[], iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  yield* parts;
  for (;;) {
    const next = await iterator.next();
    if (next.done) return;
    yield next.value;
  }
}
