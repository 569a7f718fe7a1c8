import type { ServerParts } from '../interactions/server-parts.js';
import type { RequestDetails } from '../model/request.js';
import { parseCanonical, toCanonical } from '../terminology/canonical.js';
import { findValueSet, type Library } from '../terminology/library.js';
import { toValueSet, type ValueSet } from '../terminology/value-set.js';
import { single, type OperationParameter } from './parameters.js';
import { givenResource, invalid, storedSubject } from './terminology-parameters.js';

/** Parameters that say which value set is meant. */
export const VALUE_SET_PARAMETERS: readonly string[] = ['url', 'valueSet', 'valueSetVersion'];

/** What an operation was called with, and what the server knows. */
export interface ValueSetCall {
  readonly parameters: readonly OperationParameter[];
  readonly library: Library;
}

/**
 * The value set that an operation is about: of the URL's id, of the parameter `valueSet`, or of `url`.
 * @throws FhirError INVALID_REQUEST unless there is exactly one of them; UNKNOWN_VALUE_SET, INVALID_VALUE_SET
 */
export async function subjectValueSet(
  server: ServerParts,
  request: RequestDetails,
  { parameters, library }: ValueSetCall,
): Promise<ValueSet> {
  await server.resolver.resolveRead(request);
  const url = single(parameters, 'url');
  const version = single(parameters, 'valueSetVersion');
  const given = givenResource(parameters, 'valueSet', 'ValueSet');
  const ways = [request.resourceId, url, given].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw invalid('Name one value set: by the id in the URL, by url, or by valueSet (POST).');
  if (version !== undefined && url === undefined) throw invalid('valueSetVersion goes with url.');
  if (given) return toValueSet(given);
  if (url === undefined) return toValueSet(await storedSubject(server, request));
  const canonical = parseCanonical(url);
  return findValueSet(library, toCanonical(canonical.url, version ?? canonical.version));
}
