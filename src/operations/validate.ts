/** $validate: https://hl7.org/fhir/R4/resource-operation-validate.html */
import { validateResource } from '../fhir/validate/validate.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { contentOf, findCurrent, notFound } from '../interactions/find.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { show } from '../interactions/show.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';
import { assertKnown, type OperationParameter, readParameters, single } from './parameters.js';

const MODES = ['create', 'update', 'delete', 'profile'];
const ALL_OK: OutcomeIssue = {
  severity: 'information',
  code: 'informational',
  diagnostics: 'No issues were found.',
};

/** Structure, bindings, invariants. The answer is 200 whatever was found: the findings are the result. */
export async function validate(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request, 'resource');
  assertKnown(parameters, ['resource', 'mode', 'profile']);
  const mode = single(parameters, 'mode');
  if (mode !== undefined && !MODES.includes(mode)) {
    throw new FhirError('INVALID_REQUEST', `mode must be one of ${MODES.join(', ')}.`);
  }
  const resource = await subjectOf(server, request, parameters);
  const profile = single(parameters, 'profile');
  const found = validateResource(resource, { mode: 'full', ...(profile === undefined ? {} : { profile }) });
  const wrongType = typeIssue(request, resource);
  const all = wrongType ? [wrongType, ...found] : found;
  const issues = await server.hooks.transform('VALIDATION_COMPLETED', { request, resource }, all);
  return resourceResponse(request, {
    resourceType: 'OperationOutcome',
    issue: issues.length === 0 ? [ALL_OK] : issues,
  });
}

/** The resource in the body, else the stored one that the URL names. */
async function subjectOf(
  server: ServerParts,
  request: RequestDetails,
  parameters: readonly OperationParameter[],
): Promise<Resource> {
  const scope = await server.resolver.resolveRead(request);
  const given = parameters.find(({ name }) => name === 'resource');
  if (given?.resource) return given.resource;
  const { resourceType = '', resourceId } = request;
  if (given || resourceId === undefined) {
    throw new FhirError(
      'INVALID_REQUEST',
      'Send the resource to validate as the body or as the parameter resource.',
    );
  }
  const current = await findCurrent(server, scope, resourceType, resourceId);
  const [shown] = current ? await show(server, request, [current]) : [];
  if (!shown) throw notFound(resourceType, resourceId);
  return contentOf({ ...shown.version, text: shown.text });
}

function typeIssue({ resourceType }: RequestDetails, resource: Resource): OutcomeIssue | undefined {
  if (resource.resourceType === resourceType) return undefined;
  const diagnostics = `The resource is a ${String(resource.resourceType).slice(0, 64)}, but the URL says ${resourceType}.`;
  return { severity: 'error', code: 'invalid', diagnostics, expression: ['resourceType'] };
}
