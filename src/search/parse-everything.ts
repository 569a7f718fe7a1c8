import { compartmentParameters, compartmentTypes } from '../fhir/compartments.js';
import { dateRange, EARLIEST, LATEST } from '../fhir/date-range.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import type { QueryParameter } from '../model/request.js';
import { parseSearch } from './parse.js';
import { invalidParameter, unknownParameter, type ParseContext } from './parse-context.js';
import { typesNamed } from './parse-types.js';
import type { RecordMember, RecordRequest, SearchPlace, SearchRequest } from './search-request.js';

const KNOWN = ['start', 'end', '_since', '_type', '_count'];
const RESULT = new Set(['_count', '_summary', '_elements', '_format', '_pretty']);

/** When care was given, where no parameter `date` of the type says so. */
const CARE_DATES: Readonly<Record<string, readonly string[]>> = {
  Account: ['period'],
  AdverseEvent: ['date'],
  ChargeItem: ['occurrence'],
  Claim: ['created'],
  ClaimResponse: ['created'],
  Communication: ['sent', 'received'],
  CommunicationRequest: ['occurrence'],
  Condition: ['onset-date', 'abatement-date', 'recorded-date'],
  CoverageEligibilityRequest: ['created'],
  DetectedIssue: ['identified'],
  DeviceRequest: ['event-date', 'authored-on'],
  DocumentManifest: ['created'],
  ExplanationOfBenefit: ['created'],
  Goal: ['start-date'],
  ImagingStudy: ['started'],
  Invoice: ['date'],
  MedicationAdministration: ['effective-time'],
  MedicationDispense: ['whenhandedover', 'whenprepared'],
  MedicationRequest: ['date', 'authoredon'],
  MedicationStatement: ['effective'],
  Media: ['created'],
  NutritionOrder: ['datetime'],
  Procedure: ['date'],
  Provenance: ['recorded'],
  QuestionnaireResponse: ['authored'],
  ServiceRequest: ['occurrence', 'authored'],
  Specimen: ['collected'],
};

/**
 * Reads `$everything`: https://hl7.org/fhir/R4/patient-operation-everything.html.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER, INVALID_SEARCH; each names the parameter
 */
export function parseEverything(
  place: SearchPlace,
  of: RecordRequest['of'],
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  const unknown = parameters.find(([name]) => !KNOWN.includes(name) && !RESULT.has(name));
  if (unknown) throw unknownParameter(unknown[0], `$everything has ${KNOWN.join(', ')}.`);
  const result = parseSearch(
    of,
    parameters.filter(([name]) => RESULT.has(name)),
    { ...context, handling: 'strict' },
  );
  const applied = parameters.filter(([name]) => name !== '_format' && name !== '_pretty');
  return { ...result, place, applied, record: toRecord(place, of, parameters, context) };
}

function toRecord(
  { compartment }: SearchPlace,
  of: RecordRequest['of'],
  parameters: readonly QueryParameter[],
  context: ParseContext,
): RecordRequest {
  const members = membersOf(of, context);
  const known = new Set(members.map(({ type }) => type));
  const start = timeOf(parameters, 'start')?.low;
  const end = timeOf(parameters, 'end')?.high;
  return {
    of,
    id: compartment?.id ?? null,
    members,
    besides: [...RESOURCE_TYPES].filter((type) => !known.has(type)),
    types: typesNamed(parameters),
    care:
      start === undefined && end === undefined ? undefined : { low: start ?? EARLIEST, high: end ?? LATEST },
    since: timeOf(parameters, '_since')?.low,
  };
}

function membersOf(of: RecordRequest['of'], { registry }: ParseContext): readonly RecordMember[] {
  const types = [...new Set([of, ...compartmentTypes(of)])];
  const pathsOf = (type: string, codes: readonly string[]): readonly string[] => [
    ...new Set(codes.flatMap((code) => registry.find(type, code)?.paths ?? [])),
  ];
  return types.map((type) => ({
    type,
    paths: pathsOf(type, compartmentParameters(of, type)),
    dates: type === of && of === 'Patient' ? [] : pathsOf(type, CARE_DATES[type] ?? ['date']),
  }));
}

function timeOf(
  parameters: readonly QueryParameter[],
  name: string,
): { readonly low: number; readonly high: number } | undefined {
  const values = parameters.filter(([one]) => one === name).map(([, value]) => value);
  const [text] = values;
  if (text === undefined) return undefined;
  const range = dateRange(text);
  if (range === undefined || values.length > 1)
    throw invalidParameter(name, 'give one date (YYYY, YYYY-MM, YYYY-MM-DD) or instant.');
  return range;
}
