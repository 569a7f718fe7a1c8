/** The parameters of a history: https://hl7.org/fhir/R4/http.html#history */
import { type DateRange, dateRange, EARLIEST, LATEST } from '../fhir/date-range.js';
import { isLenient } from '../fhir/prefer.js';
import { FhirError } from '../model/errors.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { HistoryQuery } from '../storage/store.js';
import { presentableParameters } from './presentation.js';
import type { ServerParts } from './server-parts.js';

const KNOWN = new Set(['_since', '_at', '_count']);
const PASSED_OVER = new Set(['_format', '_pretty', '_summary', '_elements']);

/** With `Prefer: handling=lenient` what history does not know is left out, of the self link too. */
export function historyParameters(request: RequestDetails): readonly QueryParameter[] {
  const parameters = presentableParameters(request);
  return isLenient(request)
    ? parameters.filter(([name]) => KNOWN.has(name) || PASSED_OVER.has(name))
    : parameters;
}

/** What the parameters ask for. @throws FhirError INVALID_SEARCH, UNKNOWN_SEARCH_PARAMETER */
export function parseHistoryQuery(
  server: ServerParts,
  parameters: readonly QueryParameter[],
): Omit<HistoryQuery, 'type' | 'id'> {
  const { defaultPageSize, maxPageSize } = server.settings;
  let query: Omit<HistoryQuery, 'type' | 'id'> = { count: defaultPageSize };
  const given = new Set<string>();
  for (const [name, value] of parameters) {
    if (KNOWN.has(name) && given.has(name)) throw invalid(name, `Give ${name} once.`);
    given.add(name);
    if (name === '_count') query = { ...query, count: Math.min(parseCount(value), maxPageSize) };
    else if (name === '_since') query = { ...query, since: parseTime(name, value).low };
    else if (name === '_at') query = { ...query, at: parseSpan(value) };
    else if (!PASSED_OVER.has(name)) {
      throw new FhirError(
        'UNKNOWN_SEARCH_PARAMETER',
        `History has no parameter '${name.slice(0, 80)}'; it has _since, _at and _count.`,
        { parameter: name.slice(0, 80) },
      );
    }
  }
  if (query.at && query.since !== undefined)
    throw invalid(
      '_since',
      'Give _since or _at: one asks for times of writing, the other for times of being current.',
    );
  return isCountAlone(parameters) ? { ...query, count: 0 } : query;
}

function isCountAlone(parameters: readonly QueryParameter[]): boolean {
  return parameters.some(([name, value]) => name === '_summary' && value === 'count');
}

function parseCount(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw invalid('_count', `_count must be a whole number, not '${value.slice(0, 40)}'.`);
}

function parseTime(name: string, value: string): DateRange {
  const range = dateRange(value);
  if (range) return range;
  throw invalid(name, `${name} must be a date or an instant, not '${value.slice(0, 40)}'.`);
}

/** From what to when `_at` means, by its prefix: https://hl7.org/fhir/R4/search.html#prefix */
const SPANS: Readonly<Record<string, (range: DateRange) => DateRange>> = {
  eq: (range) => range,
  ge: ({ low }) => ({ low, high: LATEST }),
  gt: ({ high }) => ({ low: high + 1, high: LATEST }),
  le: ({ high }) => ({ low: EARLIEST, high }),
  lt: ({ low }) => ({ low: EARLIEST, high: low - 1 }),
};

/** A date search: https://hl7.org/fhir/R4/http.html#history. What was current some time within is found. */
function parseSpan(value: string): DateRange {
  const [prefix = ''] = /^[a-z]{2}(?=\d)/.exec(value) ?? [];
  const span = SPANS[prefix === '' ? 'eq' : prefix];
  if (span) return span(parseTime('_at', value.slice(prefix.length)));
  throw invalid('_at', `_at takes the prefixes ${Object.keys(SPANS).join(', ')}, not '${prefix}'.`);
}

function invalid(parameter: string, message: string): FhirError {
  return new FhirError('INVALID_SEARCH', message, { parameter });
}
