/** $everything: https://hl7.org/fhir/R4/patient-operation-everything.html, and encounter's. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { assertShown, searchResponse } from '../interactions/search.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import { readParameters } from './parameters.js';

/** The record of one patient or encounter. */
export async function everythingOf(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType, resourceId = '' } = request;
  const type = resourceType === 'Encounter' ? 'Encounter' : 'Patient';
  const compartment = { type, id: resourceId } as const;
  const scope = await server.resolver.resolveRead(request);
  await assertShown(server, request, { scope, compartment });
  const parameters = searchParametersOf(request);
  const place = { type: null, compartment, everything: type } as const;
  const search = await server.searcher.parse(scope, request, place, parameters);
  const result = await server.searcher.run(scope, search);
  return searchResponse(server, { ...request, parameters }, { result, page: undefined });
}

/** The records of all patients. */
export async function everyPatient(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await server.resolver.resolveRead(request);
  const parameters = searchParametersOf(request);
  const place = { type: null, compartment: null, everything: 'Patient' } as const;
  const search = await server.searcher.parse(scope, request, place, parameters);
  const result = await server.searcher.run(scope, search);
  return searchResponse(server, { ...request, parameters }, { result, page: undefined });
}

/** Those of the query, and of a Parameters body as if they stood there. */
export function searchParametersOf(request: RequestDetails): readonly QueryParameter[] {
  const given = readParameters({ ...request, parameters: [] });
  return [...request.parameters, ...given.map(({ name, text = '' }): QueryParameter => [name, text])];
}
