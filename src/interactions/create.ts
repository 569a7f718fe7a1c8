/** create and conditional create: https://hl7.org/fhir/R4/http.html#create */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import { isRawContent } from './binary.js';
import { writeRawBinary } from './binary-write.js';
import { findMatch, parseCondition, toClaim } from './condition.js';
import { singleHeader } from './find.js';
import { acceptResource } from './incoming.js';
import { planCreation, planNothing } from './plan-write.js';
import { type Attempt, executeWrites, type PlannedWrite } from './planned-write.js';
import { writeResponse } from './response.js';
import { withWarnings } from './search-parameter-writes.js';
import type { ServerParts } from './server-parts.js';

export async function create(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  if (isRawContent(request.body)) return writeRawBinary(server, request, request.body);
  const resource = await acceptResource(server, request);
  const { writes } = await executeWrites(server, request, async (attempt) => ({
    writes: [await planCreate(server, request, { resource, attempt })] as const,
  }));
  return writeResponse(request, withWarnings(server, writes[0].outcome));
}

/** The partition is decided first, on what was sent; a conditional create then looks for a match in it. */
export async function planCreate(
  server: ServerParts,
  request: RequestDetails,
  { resource, attempt, id }: { readonly resource: Resource; readonly attempt: Attempt; readonly id?: string },
): Promise<PlannedWrite> {
  const assignment = await server.resolver.resolveCreate(request, resource);
  const header = singleHeader(request, 'if-none-exist');
  if (header === undefined) {
    return planCreation(server, request, {
      resource,
      id: id ?? (await server.newId()),
      assignment,
      claim: undefined,
    });
  }
  const condition = parseCondition(resource.resourceType, header);
  const scope = server.resolver.scopeOfAssignment(assignment);
  const match = await findMatch(server, request, scope, condition);
  if (match) return planNothing(match);
  const claim = toClaim(server, condition, attempt);
  return planCreation(server, request, { resource, id: id ?? (await server.newId()), assignment, claim });
}
