import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import type { QueryParameter } from '../../src/model/request.js';
import type { ParseContext } from '../../src/search/parse-context.js';
import { parseSearch } from '../../src/search/parse.js';
import {
  DEFAULT_SEARCH_LIMITS,
  type Criterion,
  type SearchRequest,
  type SearchValue,
} from '../../src/search/search-request.js';
import { toLocal } from '../../src/search/searcher.js';

export const BASE = 'http://localhost:8080/fhir/acme';

const registry = createSearchParameterRegistry();

export const context: ParseContext = {
  registry,
  limits: DEFAULT_SEARCH_LIMITS,
  handling: 'strict',
  toLocal: (url) => toLocal(BASE, url),
  now: Date.UTC(2026, 0, 1),
};

export function parse(type: string, query: string, more: Partial<ParseContext> = {}): SearchRequest {
  const parameters: QueryParameter[] = [...new URLSearchParams(query)];
  return parseSearch(type, parameters, { ...context, ...more });
}

/** The alternatives of a request with one criterion. */
export function valuesOf(type: string, query: string): readonly SearchValue[] {
  const [criterion] = parse(type, query).criteria;
  if (criterion?.kind !== 'values') throw new Error('no values');
  return criterion.values;
}

/** What a filter asks. */
export function parseFilterOf(type: string, filter: string): Criterion {
  const [criterion] = parseSearch(type, [['_filter', filter]], context).criteria;
  if (criterion === undefined) throw new Error('no criterion');
  return criterion;
}

/** The value of a filter with one test. */
export function valuesOfFilter(type: string, filter: string): readonly SearchValue[] {
  const criterion = parseFilterOf(type, filter);
  if (criterion.kind !== 'values') throw new Error('no values');
  return criterion.values;
}
