import {
  describeUnknown,
  ELEMENTS_BESIDE_SUMMARY,
  elementNames,
  unknownElements,
} from '../fhir/element-names.js';
import type { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import { type ParseContext, toWarning, unknownParameter } from './parse-context.js';
import { typesNamed } from './parse-types.js';

const ELEMENTS = '_elements';
/** With them resources of further types come. */
const BRINGS_OTHERS = /^_(?:include|revinclude|contained)(?::|$)/;
/** Longer values are refused where parameters are read. */
const MAX_LENGTH = 200_000;

/** The parameters of a search, with nothing in `_elements` that nothing could come of. */
export interface KnownElements {
  readonly parameters: readonly QueryParameter[];
  /** What lenient handling left out. */
  readonly ignored: readonly OutcomeIssue[];
}

/**
 * Judges `_elements` by all that a search asks for (https://hl7.org/fhir/R4/search.html#elements); `type` is null where
 * several are searched. What is not even a list of names is left for whoever reads parameters one by one.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER unless handling is lenient
 */
export function knownElements(
  type: string | null,
  parameters: readonly QueryParameter[],
  { handling }: Pick<ParseContext, 'handling'>,
): KnownElements {
  if (!parameters.some(([name]) => name === ELEMENTS)) return { parameters, ignored: [] };
  const ignored: OutcomeIssue[] = [];
  const leaveOut = (error: FhirError): void => void ignored.push(toWarning(error, handling));
  const isSummarized = parameters.some(([name, value]) => name === '_summary' && value !== 'false');
  const types = typesThatCome(type, parameters);
  const kept = parameters.flatMap((one): readonly QueryParameter[] => {
    const names = one[0] === ELEMENTS && one[1].length <= MAX_LENGTH ? elementNames(one[1]) : undefined;
    if (names === undefined) return [one];
    if (isSummarized) {
      leaveOut(unknownParameter(ELEMENTS, ELEMENTS_BESIDE_SUMMARY));
      return [];
    }
    const unknown = new Set(unknownElements(names, types));
    if (unknown.size === 0) return [one];
    leaveOut(unknownParameter(ELEMENTS, describeUnknown([...unknown], types)));
    const known = names.filter((name) => !unknown.has(name));
    return known.length === 0 ? [] : [[ELEMENTS, known.join(',')]];
  });
  return { parameters: kept, ignored };
}

/** Undefined: all types may come. */
function typesThatCome(
  type: string | null,
  parameters: readonly QueryParameter[],
): readonly string[] | undefined {
  if (parameters.some(([name]) => BRINGS_OTHERS.test(name))) return undefined;
  return type === null ? typesNamed(parameters) : [type];
}
