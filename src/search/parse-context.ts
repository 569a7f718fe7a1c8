import type { SearchParameter } from '../fhir/index-values.js';
import { createSearchParameterRegistry } from '../fhir/search-parameters.js';
import { ERROR_SYSTEM, FhirError } from '../model/errors.js';
import type { OutcomeIssue } from '../model/resource.js';
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

/**
 * Whether a parameter that is not in force is one of R4 that was taken from the type. Clients that know it as part
 * of the standard do not expect lenient handling to leave it out, and everything to be found.
 */
export function isTakenBack(type: string, code: string, { handling }: ParseContext): boolean {
  return handling === 'lenient' && createSearchParameterRegistry().find(type, code) !== undefined;
}

/** What is refused whatever the handling. */
export function invalidParameter(name: string, message: string): FhirError {
  return refusal('INVALID_SEARCH', name, message);
}

/** The warning for something that may be left out; anything else is thrown again. */
export function toWarning(error: unknown, handling: ParseContext['handling']): OutcomeIssue {
  const mayBeLeftOut = error instanceof FhirError && error.code === 'UNKNOWN_SEARCH_PARAMETER';
  if (!mayBeLeftOut || handling === 'strict') throw error;
  return {
    severity: 'warning',
    code: 'not-supported',
    details: {
      coding: [{ system: ERROR_SYSTEM, code: error.code }],
      text: 'The parameter was left out of the search.',
    },
    diagnostics: error.message,
    location: error.location,
  };
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
  // A filter's errors say where in it they are; the parameter is the filter all the same.
  return new FhirError(code, text, { parameter: shown.replace(/^_filter, .*/, '_filter') });
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
