/** patch and conditional patch: https://hl7.org/fhir/R4/http.html#patch */
import { applyFhirPathPatch } from '../fhir/patch/fhirpath-patch.js';
import { applyJsonPatch } from '../fhir/patch/json-patch.js';
import { loadFhirPath } from '../fhir/patch/locate.js';
import { TimeSpent, withinTime } from '../fhir/time-budget.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StoredVersion } from '../storage/store.js';
import { assertNoBlobReference, blobIdOf } from './blob-pointer.js';
import { findMatch, toCondition } from './condition.js';
import { assertWritePreconditions, contentOf, findCurrent, gone, notFound } from './find.js';
import { assertValid, isJsonObject } from './incoming.js';
import { planReplacement } from './plan-write.js';
import { executeWrites, type PlannedWrite } from './planned-write.js';
import { writeResponse } from './response.js';
import { withWarnings } from './search-parameter-writes.js';
import type { ServerParts } from './server-parts.js';

export async function patch(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { writes } = await executeWrites(server, request, async () => ({
    writes: [await planPatch(server, request)] as const,
  }));
  return writeResponse(request, withWarnings(server, writes[0].outcome));
}

export async function planPatch(server: ServerParts, request: RequestDetails): Promise<PlannedWrite> {
  const current = await findPatched(server, request);
  assertWritePreconditions(request, current);
  const before = contentOf(current);
  const resource = applyPatch(before, request.body, server.settings.maxPatchOperations);
  if (blobIdOf(resource) !== blobIdOf(before)) assertNoBlobReference(resource);
  await assertValid(server, request, resource);
  return planReplacement(server, request, { resource, current });
}

async function findPatched(server: ServerParts, request: RequestDetails): Promise<StoredVersion> {
  const { resourceType = '', resourceId } = request;
  const scope = await server.resolver.resolveRead(request);
  if (resourceId === undefined) {
    const match = await findMatch(server, request, scope, toCondition(resourceType, request.parameters));
    if (match) return match;
    throw new FhirError('NOT_FOUND', `No ${resourceType} matches the condition.`);
  }
  const current = await findCurrent(server, scope, resourceType, resourceId);
  if (!current) throw notFound(resourceType, resourceId);
  if (current.deleted) throw gone(current);
  return current;
}

/**
 * Longest time in milliseconds for one patch. The largest ones of real clients take a few; paths can be written that
 * compare everything with everything, again and again, while nobody else is served.
 */
const BUDGET_MS = 500;
/** Operations of a JSON Patch that no watch is needed for: each walks over what it names. */
const SURELY_FAST = 20;

/** @throws FhirError LIMIT_EXCEEDED, INVALID_REQUEST, INVALID_RESOURCE */
function applyPatch(resource: Resource, body: unknown, most: number): Resource {
  const apply = readPatch(body, most);
  if (Array.isArray(body) && body.length <= SURELY_FAST) return apply(resource);
  // A module must not be ended half loaded.
  if (!Array.isArray(body)) loadFhirPath();
  try {
    return withinTime(BUDGET_MS, () => apply(resource));
  } catch (error) {
    if (!(error instanceof TimeSpent)) throw error;
    throw new FhirError('LIMIT_EXCEEDED', 'The patch takes too long to be applied.', { cause: error });
  }
}

/** A JSON Patch is a list; a FHIRPath Patch is a Parameters resource. */
function readPatch(body: unknown, most: number): (resource: Resource) => Resource {
  if (Array.isArray(body)) {
    assertFew(body, most);
    return (resource) => applyJsonPatch(resource, body);
  }
  if (isJsonObject(body) && body['resourceType'] === 'Parameters') {
    assertFew(body['parameter'], most);
    return (resource) => applyFhirPathPatch(resource, body);
  }
  throw new FhirError(
    'INVALID_REQUEST',
    'A patch is a JSON Patch list or a FHIRPath Patch Parameters resource.',
  );
}

function assertFew(operations: unknown, most: number): void {
  if (!Array.isArray(operations) || operations.length <= most) return;
  throw new FhirError('LIMIT_EXCEEDED', `A patch has at most ${most} operations.`);
}
