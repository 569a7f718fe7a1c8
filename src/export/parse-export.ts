/** The parameters of a kick-off: https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters */
import { dateRange } from '../fhir/date-range.js';
import { isResourceType } from '../fhir/definitions.js';
import { hasElement } from '../fhir/element-names.js';
import { parseReference } from '../fhir/references.js';
import type { AssociatedData, BulkExportParameters, ExportLevel } from '../model/bulk-export.js';
import { ERROR_SYSTEM, type ErrorCode, FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import { isExportable, typesOfLevel } from './exported-types.js';

/** What parsing needs to know. */
export interface ParseExportContext {
  readonly level: ExportLevel;
  /** `lenient` leaves out what is not supported, and says so; `strict` refuses it. */
  readonly handling: 'strict' | 'lenient';
  /** The base URL of the request: absolute references below it are the server's own. */
  readonly base: string;
  /** `patient` is taken from a body alone. */
  readonly method: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

/** What was asked for; filters are searches that are still to be read. */
export interface ParsedExport extends Omit<BulkExportParameters, 'filters'> {
  readonly filters: readonly { readonly type: string; readonly query: string }[];
  readonly partialManifests: boolean;
  /** What lenient handling left out. */
  readonly issues: readonly OutcomeIssue[];
}

type Draft = { -readonly [Name in keyof Omit<ParsedExport, 'issues' | 'patients'>]: ParsedExport[Name] } & {
  /** Added to: there may be thousands. */
  patients: string[] | null;
};
type Reader = (draft: Draft, value: string, reading: Reading) => void;

/** One parameter while it is read. */
interface Reading extends ParseExportContext {
  readonly name: string;
  /** Refuses, or, with lenient handling, leaves out what the message names. */
  readonly unsupported: (message: string, code?: ErrorCode) => void;
}

const FORMATS: ReadonlySet<string> = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);
const ASSOCIATED: readonly AssociatedData[] = ['LatestProvenanceResources', 'RelevantProvenanceResources'];
/** About the representation of answers, not about the export. */
const PASSED_OVER: ReadonlySet<string> = new Set(['_format', '_pretty']);
const SINGLE: readonly string[] = [
  '_outputFormat',
  '_since',
  '_until',
  'organizeOutputBy',
  'allowPartialManifests',
];
/** Clocks of servers and databases may differ: the time of an export may be the next one's `_since` at once. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const MAX_PARAMETERS = 10_000;

const READERS: Readonly<Record<string, Reader>> = {
  _outputFormat: readFormat,
  _since: (draft, value, reading) => {
    const { low, high } = readTime(value, reading);
    if (low > reading.now + CLOCK_TOLERANCE_MS) throw invalid('_since is in the future.');
    // A whole day begins with its first millisecond; an instant itself was exported before.
    draft.since = high - low >= 60_000 ? low - 1 : low;
  },
  _until: (draft, value, reading) => {
    draft.before = readTime(value, reading).low;
  },
  _type: (draft, value, reading) => {
    // Also where nothing follows: whoever names types does not mean all of them.
    draft.types ??= [];
    for (const type of listOf(value)) readType(draft, type, reading);
  },
  _typeFilter: (draft, value, reading) => {
    for (const query of splitFilters(value)) readFilter(draft, query, reading);
  },
  _elements: (draft, value) => {
    const named = listOf(value);
    if (named.length === 0) throw invalid('_elements names no element.');
    draft.elements = [...draft.elements, ...named];
  },
  patient: readPatient,
  includeAssociatedData: (draft, value, reading) => {
    for (const code of listOf(value)) readAssociated(draft, code, reading);
  },
  organizeOutputBy: (draft, value, { unsupported }) => {
    if (value === 'Patient') draft.organizeBy = value;
    else unsupported(`organizeOutputBy '${value.slice(0, 80)}' is not supported; use Patient.`);
  },
  allowPartialManifests: (draft, value) => {
    if (value !== 'true' && value !== 'false') throw invalid('allowPartialManifests is true or false.');
    draft.partialManifests = value === 'true';
  },
};

/**
 * Makes a typed request of untrusted parameters.
 * @throws FhirError INVALID_REQUEST, NOT_SUPPORTED; each names the parameter
 */
export function parseExport(
  parameters: readonly QueryParameter[],
  context: ParseExportContext,
): ParsedExport {
  const issues: OutcomeIssue[] = [];
  const draft: Draft = { ...NOTHING, level: context.level };
  if (parameters.length > MAX_PARAMETERS)
    throw new FhirError('LIMIT_EXCEEDED', `An export has at most ${MAX_PARAMETERS} parameters.`);
  assertGivenOnce(parameters);
  for (const [name, value] of parameters) {
    if (PASSED_OVER.has(name)) continue;
    const unsupported: Reading['unsupported'] = (message, code = 'NOT_SUPPORTED') => {
      const error = new FhirError(code, message, { status: 400 });
      if (context.handling === 'strict') throw error;
      issues.push(toWarning(error));
    };
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (reader) reader(draft, value, { ...context, name, unsupported });
    else unsupported(`Unknown parameter '${name.slice(0, 80)}'.`);
  }
  assertConsistent(draft);
  const filters = withoutStrangers(draft, context.handling, issues);
  const patients = draft.patients && [...new Set(draft.patients)];
  return { ...draft, patients, filters, issues };
}

const NOTHING: Omit<Draft, 'level'> = {
  types: null,
  since: null,
  before: null,
  filters: [],
  elements: [],
  patients: null,
  associated: [],
  partialManifests: false,
  organizeBy: null,
};

/** A plus sign that a client does not escape arrives as a space. */
function readFormat(_draft: Draft, value: string): void {
  const [format = ''] = value.split(';', 1);
  if (FORMATS.has(format.trim().replace(' ', '+'))) return;
  throw new FhirError(
    'NOT_SUPPORTED',
    `_outputFormat '${value.slice(0, 80)}' is not supported; use application/fhir+ndjson.`,
  );
}

function readTime(value: string, { name }: Reading): { readonly low: number; readonly high: number } {
  const range = dateRange(value.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (range) return range;
  throw invalid(`${name} '${value.slice(0, 40)}' is no instant, such as 2026-01-31T12:00:00.000Z.`);
}

function readType(draft: Draft, type: string, { unsupported }: Reading): void {
  const { level, types } = draft;
  if (!isResourceType(type)) unsupported(`_type: '${type.slice(0, 80)}' is no resource type of R4.`);
  else if (!isExportable(level, type))
    unsupported(`_type: no ${type} belongs to the compartment of a Patient.`);
  else if (!types?.includes(type)) draft.types = [...(types ?? []), type];
}

/** A comma is between filters only where another type's search follows: values of a search have commas too. */
function splitFilters(value: string): readonly string[] {
  return value.split(/,(?=[A-Za-z]+(?:\?|%3[Ff]))/);
}

function readFilter(draft: Draft, text: string, { unsupported }: Reading): void {
  const query = text.includes('?') ? text : decoded(text);
  const [, type = '', search = ''] = /^([A-Za-z]+)\?(.*)$/s.exec(query) ?? [];
  if (!isResourceType(type))
    throw invalid(`_typeFilter '${query.slice(0, 80)}' is no search of a type, such as Patient?active=true.`);
  if (!isExportable(draft.level, type))
    return unsupported(`_typeFilter: no ${type} belongs to the compartment of a Patient.`);
  draft.filters = [...draft.filters, { type, query: search }];
}

/** Clients of the first versions of the guide encode each filter by itself once more. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readPatient(draft: Draft, value: string, { method, base, unsupported }: Reading): void {
  if (draft.level.kind === 'system') return unsupported('patient is not for exports of the whole system.');
  if (method !== 'POST') return unsupported('patient is sent by POST.');
  const reference = parseReference(value.startsWith(`${base}/`) ? value.slice(base.length + 1) : value);
  if (reference.kind !== 'relative' || reference.type !== 'Patient')
    throw invalid(`patient '${value.slice(0, 120)}' is no reference to a Patient, such as Patient/1.`);
  draft.patients ??= [];
  draft.patients.push(reference.id);
}

function readAssociated(draft: Draft, value: string, { unsupported }: Reading): void {
  const code = ASSOCIATED.find((one) => one === value);
  if (code) draft.associated = [...new Set([...draft.associated, code])];
  else unsupported(`includeAssociatedData '${value.slice(0, 80)}' is not supported.`);
}

function assertGivenOnce(parameters: readonly QueryParameter[]): void {
  const again = SINGLE.find((single) => parameters.filter(([name]) => name === single).length > 1);
  if (again !== undefined) throw invalid(`The parameter '${again}' was given more than once.`);
}

function assertConsistent(draft: Draft): void {
  const { types, since, before, elements, level, organizeBy } = draft;
  if (organizeBy !== null) assertOrganizable(draft);
  if (types?.length === 0) throw invalid('_type names nothing that can be exported.');
  if (since !== null && before !== null && before <= since) throw invalid('_until is not after _since.');
  const exported = types ?? typesOfLevel(level);
  for (const element of elements) assertElement(element, exported);
}

/** What belongs to nobody has no block, and the part that a block goes on in is not known before the end. */
function assertOrganizable({ types, associated, partialManifests }: Draft): void {
  if (partialManifests) throw invalid('allowPartialManifests does not go with organizeOutputBy.');
  if (associated.length > 0) throw invalid('includeAssociatedData does not go with organizeOutputBy.');
  const other = types?.find((type) => !isExportable({ kind: 'patient' }, type));
  if (other !== undefined)
    throw invalid(`_type: no ${other} belongs to a Patient, by whom output is organized.`);
}

function assertElement(name: string, types: readonly string[]): void {
  const [first = '', ...rest] = name.split('.');
  const isTyped = isResourceType(first);
  const element = isTyped ? rest.join('.') : name;
  const of = isTyped ? [first] : types;
  if (of.some((type) => hasElement(type, [element]))) return;
  const shown = name.slice(0, 80);
  throw invalid(`_elements: '${shown}' is no element at the root of ${isTyped ? first : 'a type'}.`);
}

/** Filters of types that are not exported. */
function withoutStrangers(
  { types, filters }: Draft,
  handling: ParseExportContext['handling'],
  issues: OutcomeIssue[],
): Draft['filters'] {
  const isAsked = ({ type }: { readonly type: string }): boolean => types === null || types.includes(type);
  for (const { type } of filters.filter((filter) => !isAsked(filter))) {
    const error = invalid(`_typeFilter is about ${type}, which _type does not name.`);
    if (handling === 'strict') throw error;
    issues.push(toWarning(error));
  }
  return filters.filter(isAsked);
}

/** The error as something that the client is told of, and that stops nothing. */
export function toWarning(error: FhirError): OutcomeIssue {
  return {
    severity: 'warning',
    code: 'not-supported',
    details: { coding: [{ system: ERROR_SYSTEM, code: error.code }], text: 'This was left out.' },
    diagnostics: error.message,
  };
}

function listOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message);
}
