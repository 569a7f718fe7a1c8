import type { SearchParameter } from '../fhir/index-values.js';
import { FhirError } from '../model/errors.js';
import type { SearchLimits } from './search-request.js';

/** Where search parameters are looked up; the server's registry is one. */
export interface SearchParameterSource {
  find(resourceType: string, code: string): SearchParameter | undefined;
  /** Whether data that was written before the parameter may be missed by it. Left out: never. */
  isPending?(resourceType: string, parameter: SearchParameter): boolean;
}

/** What parsing needs to know of the server. */
export interface ParseContext {
  readonly registry: SearchParameterSource;
  readonly limits: SearchLimits;
  /** `lenient` leaves out what is unknown; `strict` refuses it. */
  readonly handling: 'strict' | 'lenient';
  /** The resource that an absolute URL below the server's own base names. */
  readonly toLocal: (url: string) => { readonly type: string; readonly id: string } | null;
  /** Milliseconds since 1970 UTC, for `ap`. */
  readonly now: number;
}

/** One parameter while it is read. `name` is as the client wrote it, for errors. */
export interface ParameterContext extends ParseContext {
  readonly name: string;
  /** References that may still be followed. */
  readonly depth: number;
}

/** What lenient handling may leave out: a parameter, modifier or value that means nothing here. */
export function unknownParameter(name: string, message: string): FhirError {
  return new FhirError('UNKNOWN_SEARCH_PARAMETER', `Search parameter "${name}": ${message}`, {
    expression: [name],
  });
}

/** What is refused whatever the handling. */
export function invalidParameter(name: string, message: string): FhirError {
  return new FhirError('INVALID_SEARCH', `Search parameter "${name}": ${message}`, { expression: [name] });
}
