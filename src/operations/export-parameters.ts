import type { QueryParameter, RequestDetails } from '../model/request.js';
import { FhirError } from '../model/errors.js';
import { type OperationParameter, readParameters } from './parameters.js';

/**
 * The parameters of a kick-off as texts, those of the query and those of a Parameters body: references by what they
 * refer to, other values as they are written in a URL.
 * @throws FhirError INVALID_REQUEST
 */
export function readExportParameters(request: RequestDetails): readonly QueryParameter[] {
  const given = readParameters({ ...request, parameters: [] });
  return [...request.parameters, ...given.map(toText)];
}

function toText({ name, text, value }: OperationParameter): QueryParameter {
  if (text !== undefined) return [name, text];
  const { reference } = (value ?? {}) as { readonly reference?: unknown };
  if (typeof reference === 'string') return [name, reference];
  throw new FhirError('INVALID_REQUEST', `The parameter '${name.slice(0, 80)}' must be a simple value.`);
}
