/** What `_summary`, `_elements` and `_pretty` say: https://hl7.org/fhir/R4/http.html#parameters */
import {
  describeUnknown,
  ELEMENTS_BESIDE_SUMMARY,
  elementNames,
  unknownElements,
} from '../fhir/element-names.js';
import type { SummaryMode } from '../fhir/elements.js';
import { isLenient } from '../fhir/prefer.js';
import { FhirError } from '../model/errors.js';
import type { Interaction, QueryParameter, RequestDetails } from '../model/request.js';
import type { SearchRequest } from '../search/search-request.js';

/** How resources of a response are to look. */
export interface Presentation {
  readonly summary: SummaryMode | undefined;
  readonly elements: readonly string[];
  readonly pretty: boolean;
}

/** As it is, in one line. */
export const PLAIN: Presentation = { summary: undefined, elements: [], pretty: false };
const SUMMARY_MODES = ['true', 'text', 'data', 'false'] as const;

/** What answers with several types, or judges by what it is asked for. */
const JUDGES_ITSELF: ReadonlySet<Interaction> = new Set([
  'search-type',
  'search-system',
  'page',
  'operation',
]);
const COUNTS: ReadonlySet<Interaction> = new Set(['history-instance', 'history-type', 'history-system']);
const STATEMENTS = ['CapabilityStatement', 'TerminologyCapabilities'];

/** @throws FhirError INVALID_REQUEST for what cannot be presented; lenient handling leaves it out if it may */
export function presentationOf(request: RequestDetails): Presentation {
  return request.parameters.length === 0 ? PLAIN : read(presentableParameters(request));
}

/** The same of a search, whose parameters were read as such. */
export function presentationOfSearch(
  { parameters }: RequestDetails,
  { summary, elements }: Pick<SearchRequest, 'summary' | 'elements'>,
): Presentation {
  const { pretty } = read(parameters.filter(([name]) => name === '_pretty'));
  return { summary: summary && toSummaryMode(summary), elements, pretty };
}

/** Refuses what cannot be presented before anything is done. @throws FhirError INVALID_REQUEST */
export function assertPresentable(request: RequestDetails): void {
  presentationOf(request);
}

/**
 * The parameters without those about the presentation that mean nothing here.
 * @throws FhirError INVALID_REQUEST unless handling is lenient
 */
export function presentableParameters(request: RequestDetails): readonly QueryParameter[] {
  const { parameters, interaction } = request;
  if (JUDGES_ITSELF.has(interaction) || !parameters.some(isAboutParts)) return parameters;
  const isSummarized = parameters.some(([name, value]) => name === '_summary' && value !== 'false');
  const refuse = refusalFor(request);
  return parameters.flatMap<QueryParameter>((one) => {
    const [name, value] = one;
    if (name === '_summary') return isCountOfOne(request, value) ? refuse(name, NOTHING_COUNTED) : [one];
    if (name !== '_elements') return [one];
    return isSummarized ? refuse(name, ELEMENTS_BESIDE_SUMMARY) : knownElements(request, value, refuse);
  });
}

const NOTHING_COUNTED = '_summary=count is for searches and histories.';

function isAboutParts([name]: QueryParameter): boolean {
  return name === '_summary' || name === '_elements';
}

function isCountOfOne({ interaction }: RequestDetails, value: string): boolean {
  return value === 'count' && !COUNTS.has(interaction);
}

type Refusal = (parameter: string, message: string) => readonly QueryParameter[];

function refusalFor(request: RequestDetails): Refusal {
  return (parameter, message) => {
    if (isLenient(request)) return [];
    throw invalid(parameter, message);
  };
}

/** `_elements` without names that lead to nothing. */
function knownElements(
  { interaction, resourceType }: RequestDetails,
  value: string,
  refuse: Refusal,
): readonly QueryParameter[] {
  const names = elementNames(value);
  if (names === undefined)
    throw invalid('_elements', '_elements lists the names of elements, separated by commas.');
  const own = resourceType === undefined ? undefined : [resourceType];
  const types = interaction === 'capabilities' ? STATEMENTS : own;
  const unknown = unknownElements(names, types);
  if (unknown.length === 0) return [['_elements', value]];
  refuse('_elements', `_elements: ${describeUnknown(unknown, types)}`);
  const known = names.filter((name) => !unknown.includes(name));
  return known.length === 0 ? [] : [['_elements', known.join(',')]];
}

function read(parameters: readonly QueryParameter[]): Presentation {
  let presentation = PLAIN;
  for (const [name, value] of parameters) {
    if (name === '_summary') presentation = { ...presentation, summary: toSummaryMode(value) };
    else if (name === '_elements')
      presentation = {
        ...presentation,
        elements: [...presentation.elements, ...(elementNames(value) ?? [])],
      };
    else if (name === '_pretty') presentation = { ...presentation, pretty: value !== 'false' };
  }
  return presentation;
}

/** Undefined where resources are whole, or none come. */
function toSummaryMode(value: string): SummaryMode | undefined {
  const mode = SUMMARY_MODES.find((known) => known === value);
  if (mode === undefined && value !== 'count') {
    throw invalid(
      '_summary',
      `_summary cannot be '${value.slice(0, 40)}'; use true, text, data, count or false.`,
    );
  }
  return mode === 'false' ? undefined : mode;
}

function invalid(parameter: string, message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message, { parameter });
}
