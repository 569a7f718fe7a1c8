import { parseStored } from '../fhir/json.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { showRows } from '../interactions/show.js';
import { FhirError } from '../model/errors.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { SearchRequest } from '../search/search-request.js';
import type { SearchRow } from '../storage/search-store.js';

/** Most observations that one operation looks at: all of them are in memory at once. */
const MAX_OBSERVATIONS = 5000;
const WHOLE = { summary: undefined, elements: [], pretty: false };
/** What says how a search is answered: an operation answers in its own way. */
const RESULT = new Set(['_sort', '_count', '_total', '_include', '_revinclude']);

/** An Observation, as far as operations look into it. */
export interface Observation extends Resource {
  readonly status?: string;
  readonly code?: { readonly coding?: readonly ObservationCoding[]; readonly text?: string };
  readonly valueQuantity?: ObservationValue;
}

/** https://hl7.org/fhir/R4/datatypes.html#Coding */
export interface ObservationCoding {
  readonly system?: string;
  readonly code?: string;
}

/** https://hl7.org/fhir/R4/datatypes.html#Quantity */
export interface ObservationValue {
  readonly value?: number;
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
}

/** An observation that was found, and its row. */
export interface FoundObservation {
  readonly row: SearchRow;
  readonly content: Observation;
}

/** What was found: newest first, those without a time last. */
export interface FoundObservations {
  readonly search: SearchRequest;
  readonly found: readonly FoundObservation[];
}

/**
 * All observations of a search that the caller may see.
 * @throws FhirError see parseSearch; INVALID_REQUEST without `patient` or `subject`; LIMIT_EXCEEDED
 */
export async function findObservations(
  server: ServerParts,
  request: RequestDetails,
  parameters: readonly QueryParameter[],
): Promise<FoundObservations> {
  assertOfSubject(parameters);
  const { searcher } = server;
  const scope = await server.resolver.resolveRead(request);
  const search = await searcher.parse(scope, request, 'Observation', [...parameters, ['_sort', '-date']]);
  const rows = await searcher.all(scope, search, MAX_OBSERVATIONS);
  const shown = await showRows(server, request, rows, WHOLE);
  const applied = search.applied.filter(([name]) => name !== '_sort');
  return {
    search: { ...search, applied },
    found: shown.map((row) => ({ row, content: parseStored(row.text) as Observation })),
  };
}

function assertOfSubject(parameters: readonly QueryParameter[]): void {
  const names = parameters.map(([name]) => name);
  const about = names.find((name) => RESULT.has(name.split(':', 1)[0] ?? ''));
  if (about !== undefined)
    throw new FhirError(
      'INVALID_REQUEST',
      `The parameter '${about.slice(0, 80)}' is not for this operation.`,
    );
  if (names.some((name) => /^(patient|subject)(:|\.|$)/.test(name) && !name.endsWith(':missing'))) return;
  throw new FhirError('INVALID_REQUEST', "Say whose observations are meant by 'patient' or 'subject'.");
}
