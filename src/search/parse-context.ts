import type { SearchParameter } from '../fhir/index-values.js';
import { FhirError } from '../model/errors.js';
import type { SearchLimits } from './search-request.js';

/** Where search parameters are looked up; the server's registry is one. */
export interface SearchParameterSource {
  find(resourceType: string, code: string): SearchParameter | undefined;
  /** All parameters of a type, by their codes. */
  list(resourceType: string): readonly SearchParameter[];
  /** Whether data that was written before the parameter may be missed by it. Left out: never. */
  isPending?(resourceType: string, parameter: SearchParameter): boolean;
  /** The same for resources of the type that are contained in others; without a parameter, for any search of them. */
  missesContained?(resourceType: string, parameter?: SearchParameter): boolean;
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
  /** What is looked at may stand in another resource. */
  readonly mayBeContained?: boolean;
  /** Counts alternatives, those of all parameters and of all types of a chain. @throws FhirError LIMIT_EXCEEDED */
  readonly spend: (values: number) => void;
}

/** Longest name of a parameter that an error repeats, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 1000;

/** What lenient handling may leave out: a parameter, modifier or value that means nothing here. */
export function unknownParameter(name: string, message: string): FhirError {
  return refusal('UNKNOWN_SEARCH_PARAMETER', name, message);
}

/** What is refused whatever the handling. */
export function invalidParameter(name: string, message: string): FhirError {
  return refusal('INVALID_SEARCH', name, message);
}

/** What stands where a resource type belongs. */
export function unknownType(name: string): string {
  return `"${name}" is not a resource type of FHIR R4.`;
}

/** Names and messages hold what the client sent, of which an answer repeats the beginning. */
function refusal(
  code: 'UNKNOWN_SEARCH_PARAMETER' | 'INVALID_SEARCH',
  name: string,
  message: string,
): FhirError {
  const shown = shortened(name, MAX_NAME_LENGTH);
  const text = `Search parameter "${shown}": ${shortened(message, MAX_MESSAGE_LENGTH)}`;
  return new FhirError(code, text, { expression: [shown] });
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
