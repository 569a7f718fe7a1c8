/** delete and conditional delete: https://hl7.org/fhir/R4/http.html#delete */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import { findMatch, toCondition } from './condition.js';
import { assertWritePreconditions, findCurrent } from './find.js';
import { planDeletion, planNoDeletion } from './plan-write.js';
import { type Attempt, executeWrites, type PlannedWrite } from './planned-write.js';
import { writeResponse } from './response.js';
import type { ServerParts } from './server-parts.js';

export async function deleteResource(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const { writes } = await executeWrites(server, request, async (attempt) => ({
    writes: [await planDelete(server, request, attempt)] as const,
  }));
  return writeResponse(request, writes[0].outcome);
}

/** What does not exist, or not in the scope, or no longer, is deleted already. */
export async function planDelete(
  server: ServerParts,
  request: RequestDetails,
  attempt: Attempt,
): Promise<PlannedWrite> {
  const { resourceType = '', resourceId } = request;
  const scope = await server.resolver.resolveRead(request);
  const current =
    resourceId === undefined
      ? await findMatch(server, request, scope, toCondition(resourceType, request.parameters))
      : await findCurrent(server, scope, resourceType, resourceId);
  assertWritePreconditions(request, current);
  if (!current || current.deleted) return planNoDeletion(resourceType, resourceId ?? '');
  return planDeletion(server, request, { current, attempt });
}
