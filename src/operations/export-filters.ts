import { toWarning } from '../export/parse-export.js';
import { isLenient } from '../fhir/prefer.js';
import { parseQuery } from '../interactions/query.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { TypeFilter } from '../model/bulk-export.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import { assertOpen } from '../search/assert-searchable.js';
import { isResultParameter } from '../search/parse-result.js';

/** Filters whose searches are read and checked. */
export interface ReadFilters {
  readonly filters: readonly TypeFilter[];
  /** What was left out, and what does not find all data yet. */
  readonly issues: readonly OutcomeIssue[];
}

/** What is to be read. */
interface GivenFilters {
  readonly request: RequestDetails;
  readonly filters: readonly { readonly type: string; readonly query: string }[];
}

const MAX_FILTERS = 100;

/**
 * Reads the searches of `_typeFilter`: any search of one type, without what is about results.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER, INVALID_SEARCH, INVALID_REQUEST, LIMIT_EXCEEDED
 */
export async function readExportFilters(
  server: ServerParts,
  scope: PartitionScope,
  { request, filters }: GivenFilters,
): Promise<ReadFilters> {
  if (filters.length > MAX_FILTERS)
    throw new FhirError('LIMIT_EXCEEDED', `An export has at most ${MAX_FILTERS} filters.`);
  const read: TypeFilter[] = [];
  const issues: OutcomeIssue[] = [];
  for (const { type, query } of filters) {
    const given = withoutResults(queryOf(query), request, issues);
    const search = await server.searcher.parse(scope, request, type, given);
    assertOpen(search, scope);
    issues.push(...search.ignored);
    read.push({ type, parameters: search.applied });
  }
  return { filters: read, issues };
}

/** In what was decoded once already, a plus sign is no space: times with an offset have one. */
function queryOf(query: string): readonly QueryParameter[] {
  return parseQuery(query.replaceAll('+', '%2B').replaceAll(/ (?=\d\d:\d\d(?:[,&]|$))/g, '%2B'));
}

/** The guide rules out what is about answers: https://hl7.org/fhir/uv/bulkdata/export.html#_typefilter-query-parameter */
function isAboutResults(code: string): boolean {
  return isResultParameter(code) || code === '_format' || code === '_pretty';
}

/** @throws FhirError INVALID_REQUEST for what is about results, unless it may be left out */
function withoutResults(
  parameters: readonly QueryParameter[],
  request: RequestDetails,
  issues: OutcomeIssue[],
): readonly QueryParameter[] {
  return parameters.filter(([name]) => {
    if (!isAboutResults(name.split(':', 1)[0] ?? '')) return true;
    const message = `_typeFilter: '${name.slice(0, 80)}' is about the results of a search, not about what is exported.`;
    const error = new FhirError('INVALID_REQUEST', message);
    if (!isLenient(request)) throw error;
    issues.push(toWarning(error));
    return false;
  });
}
