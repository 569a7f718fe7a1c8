/** update, update as create and conditional update: https://hl7.org/fhir/R4/http.html#update */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { PartitionAssignment, PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { ConditionClaim } from '../storage/store.js';
import { isResourceId } from '../fhir/references.js';
import { isRawContent } from './binary.js';
import { writeRawBinary } from './binary-write.js';
import { type Condition, findMatch, toClaim, toCondition } from './condition.js';
import { assertWritePreconditions, findCurrent } from './find.js';
import { acceptResource } from './incoming.js';
import { assertMayClaimId } from './permission.js';
import { planCreation, planReplacement } from './plan-write.js';
import { type Attempt, executeWrites, type PlannedWrite } from './planned-write.js';
import { writeResponse } from './response.js';
import { withWarnings } from './search-parameter-writes.js';
import type { ServerParts } from './server-parts.js';

interface UpdateInput {
  readonly resource: Resource;
  readonly attempt: Attempt;
}

export async function update(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  if (isRawContent(request.body)) return writeRawBinary(server, request, request.body);
  const resource = await acceptResource(server, request);
  const { writes } = await executeWrites(server, request, async (attempt) => ({
    writes: [await planUpdate(server, request, { resource, attempt })] as const,
  }));
  return writeResponse(request, withWarnings(server, writes[0].outcome));
}

/** By id where the request has one, else by the condition in its query. */
export async function planUpdate(
  server: ServerParts,
  request: RequestDetails,
  { resource, attempt }: UpdateInput,
): Promise<PlannedWrite> {
  if (request.resourceId === undefined) return planConditionalUpdate(server, request, { resource, attempt });
  assertSameId(resource, request.resourceId);
  return planUpdateById(server, request, { resource, id: request.resourceId, claim: undefined });
}

async function planUpdateById(
  server: ServerParts,
  request: RequestDetails,
  { resource, id, claim }: { resource: Resource; id: string; claim: ConditionClaim | undefined },
): Promise<PlannedWrite> {
  const scope = await server.resolver.resolveRead(request);
  const current = await findCurrent(server, scope, resource.resourceType, id);
  assertWritePreconditions(request, current);
  if (current) return planReplacement(server, request, { resource, current, claim });
  return planUpdateAsCreate(server, request, { resource, id, claim, scope });
}

/** What an update that finds nothing makes. */
interface NewResource {
  readonly resource: Resource;
  readonly id: string;
  readonly claim: ConditionClaim | undefined;
  /** Where nothing was found. */
  readonly scope: PartitionScope;
}

async function planUpdateAsCreate(
  server: ServerParts,
  request: RequestDetails,
  { resource, id, claim, scope }: NewResource,
): Promise<PlannedWrite> {
  assertClientId(server, id);
  assertMayClaimId(request, resource.resourceType, id);
  await server.hooks.veto('STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID', { request, resource });
  const assignment = await server.resolver.resolveCreate(request, resource);
  if (!scope.partitions.includes(assignment.partition)) await assertUnused(server, assignment, resource, id);
  return planCreation(server, request, { resource, id, assignment, claim });
}

/** Where an update writes outside of what it can read, it must not replace what it cannot see. */
async function assertUnused(
  server: ServerParts,
  assignment: PartitionAssignment,
  { resourceType }: Resource,
  id: string,
): Promise<void> {
  const hidden = await findCurrent(server, server.resolver.scopeOfAssignment(assignment), resourceType, id);
  if (!hidden) return;
  throw new FhirError('DUPLICATE', `${resourceType}/${id} exists in the partition it would be written to.`);
}

async function planConditionalUpdate(
  server: ServerParts,
  request: RequestDetails,
  { resource, attempt }: UpdateInput,
): Promise<PlannedWrite> {
  const condition: Condition = toCondition(resource.resourceType, request.parameters);
  const scope = await server.resolver.resolveRead(request);
  const match = await findMatch(server, request, scope, condition);
  if (match) {
    if (resource.id !== undefined && resource.id !== match.id) {
      throw new FhirError(
        'INVALID_REQUEST',
        `The condition matches ${match.type}/${match.id}, but the body has another id.`,
      );
    }
    assertWritePreconditions(request, match);
    return planReplacement(server, request, { resource, current: match });
  }
  assertWritePreconditions(request, undefined);
  const claim = toClaim(server, condition, attempt);
  if (resource.id !== undefined)
    return planNamedCreation(server, request, { resource, id: resource.id, claim, scope });
  const assignment = await server.resolver.resolveCreate(request, resource);
  return planCreation(server, request, { resource, id: await server.newId(), assignment, claim });
}

/** Nothing matches, and the client names an id: what has it already is another resource, and stays what it is. */
async function planNamedCreation(
  server: ServerParts,
  request: RequestDetails,
  created: NewResource,
): Promise<PlannedWrite> {
  const { resource, id, claim, scope } = created;
  const current = await findCurrent(server, scope, resource.resourceType, id);
  if (current?.deleted) return planReplacement(server, request, { resource, current, claim });
  if (!current) return planUpdateAsCreate(server, request, created);
  throw new FhirError(
    'DUPLICATE',
    `${resource.resourceType}/${id} exists, and the condition does not match it.`,
  );
}

function assertSameId(resource: Resource, id: string): void {
  if (resource.id === id) return;
  const found = resource.id === undefined ? 'has no id' : `has the id '${String(resource.id).slice(0, 80)}'`;
  throw new FhirError('INVALID_REQUEST', `The URL names the id '${id}', but the body ${found}.`, {
    expression: [`${resource.resourceType}.id`],
  });
}

/** @throws FhirError INVALID_REQUEST, METHOD_NOT_ALLOWED; see `clientIds` in the settings. */
export function assertClientId(server: ServerParts, id: string): void {
  const { clientIds } = server.settings;
  if (!isResourceId(id))
    throw new FhirError('INVALID_REQUEST', `'${id.slice(0, 80)}' is not a valid resource id.`);
  if (clientIds === 'any' || (clientIds === 'alphanumeric' && !/^\d+$/.test(id))) return;
  const rule =
    clientIds === 'none' ? 'Clients cannot choose ids' : 'Ids chosen by clients cannot be purely numeric';
  throw new FhirError('METHOD_NOT_ALLOWED', `${rule} on this server; create the resource by POST.`, {
    headers: { allow: 'GET, HEAD, PATCH, DELETE' },
  });
}
