import { isResourceType } from '../fhir/definitions.js';
import type { QueryParameter } from '../model/request.js';
import { invalidParameter, unknownType } from './parse-context.js';

/** The parameter that names types: https://hl7.org/fhir/R4/http.html#search. */
export const TYPE_PARAMETER = '_type';

/** The types that `_type` names, each once; undefined where it is not given. @throws FhirError INVALID_SEARCH */
export function typesNamed(parameters: readonly QueryParameter[]): readonly string[] | undefined {
  const lists = parameters.filter(([name]) => name === TYPE_PARAMETER);
  if (lists.length === 0) return undefined;
  const types = lists.flatMap(([, value]) => value.split(','));
  const unknown = types.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw invalidParameter(TYPE_PARAMETER, unknownType(unknown));
  return [...new Set(types)];
}
