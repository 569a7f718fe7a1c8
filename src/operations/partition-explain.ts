/** $partition-explain: which interceptor decides what for a described request, and why. For administrators. */
import type { OutgoingResponse, ReadTarget } from '../hooks/pointcuts.js';
import { parseQuery } from '../interactions/query.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { parseTarget } from '../interactions/target.js';
import { FhirError } from '../model/errors.js';
import { PRINCIPAL, principalOf } from '../model/principal.js';
import { DESCRIBED_ONLY, type RequestDetails } from '../model/request.js';
import { targetOf } from '../partition/resolver.js';
import { assertKnown, type OperationParameter, readParameters, single } from './parameters.js';
import { assertDefaultSelected, assertServerLevel } from './partition-management.js';

const KNOWN = ['method', 'url', 'tenant', 'header', 'resource'];

/**
 * `method` and `url` (below the base, for example `Patient?name=x`) describe the request, `tenant` its tenant in the
 * URL, `header` (repeated, `Name: value`) its headers, `resource` what would be created.
 */
export async function explainPartition(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  assertServerLevel(request);
  await assertDefaultSelected(server, request);
  const parameters = readParameters(request);
  assertKnown(parameters, KNOWN);
  const described = describe(request, parameters);
  const resource = parameters.find(({ name }) => name === 'resource')?.resource;
  const target: ReadTarget = targetOf(described);
  const creates = described.interaction === 'create';
  if (creates && !resource)
    throw new FhirError('INVALID_REQUEST', 'A create needs the resource, as the parameter resource.');
  const explanation = await server.resolver.explain(described, target, creates ? resource : undefined);
  const { pointcut, by, asked, partitions, all, date } = explanation;
  return resourceResponse(request, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'pointcut', valueCode: pointcut },
      ...(by === undefined ? [] : [{ name: 'decidedBy', valueString: by }]),
      ...asked.map(({ interceptor, answer }) => ({
        name: 'asked',
        part: [
          { name: 'interceptor', valueString: interceptor },
          { name: 'answer', valueString: answer === undefined ? 'passed' : JSON.stringify(answer) },
        ],
      })),
      ...partitions.map(({ id, name }) => ({
        name: 'partition',
        part: [
          { name: 'id', valueInteger: id },
          { name: 'name', valueCode: name },
        ],
      })),
      { name: 'all', valueBoolean: all },
      ...(date === null ? [] : [{ name: 'date', valueDate: date }]),
    ],
  });
}

/** The request that parameters describe. @throws FhirError INVALID_REQUEST */
export function describe(request: RequestDetails, parameters: readonly OperationParameter[]): RequestDetails {
  const method = single(parameters, 'method') ?? 'GET';
  const url = single(parameters, 'url');
  if (url === undefined) throw new FhirError('INVALID_REQUEST', "The parameter 'url' is required.");
  const [path = '', query = ''] = url.replace(/^\//, '').split(/\?(.*)/s);
  const queryParameters = parseQuery(query);
  const segments = path.split('/').filter((segment) => segment !== '');
  const target = parseTarget(method, segments, queryParameters);
  const tenant = single(parameters, 'tenant');
  return {
    ...request,
    method,
    interaction: target.interaction,
    urlTenant: tenant,
    base: tenant === undefined ? request.serverBase : `${request.serverBase}/${tenant}`,
    path,
    resourceType: target.resourceType,
    resourceId: target.resourceId,
    versionId: target.versionId,
    operation: target.operation,
    compartment: target.compartment,
    parameters: queryParameters,
    headers: describedHeaders(parameters),
    body: undefined,
    attributes: describedAttributes(request),
  };
}

/** What is described is asked by whoever asks about it. */
function describedAttributes(request: RequestDetails): Map<string, unknown> {
  const described = new Map<string, unknown>([[DESCRIBED_ONLY, true]]);
  const principal = principalOf(request);
  return principal ? described.set(PRINCIPAL, principal) : described;
}

function describedHeaders(parameters: readonly OperationParameter[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (const { name, text } of parameters) {
    if (name !== 'header') continue;
    const [, key, value] = /^([^:]+):\s*(.*)$/s.exec(text ?? '') ?? [];
    if (key === undefined || value === undefined)
      throw new FhirError('INVALID_REQUEST', "A header is given as 'Name: value'.");
    headers.set(key.toLowerCase(), [...(headers.get(key.toLowerCase()) ?? []), value]);
  }
  return headers;
}
