import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import { isFilter, parseFilter } from './filter/parse-filter.js';
import { type ParameterContext, type ParseContext, toWarning } from './parse-context.js';
import { asksForContained, toContainedSearch } from './parse-contained.js';
import { parseCriterion } from './parse-criterion.js';
import { assertGivenOnce, isResultParameter, readResultParameter, type ResultParts } from './parse-result.js';
import type { Criterion, SearchRequest } from './search-request.js';

/** About the representation: http reads them. */
const PASSED_OVER: ReadonlySet<string> = new Set(['_format', '_pretty']);

/** Longer than any chain of names, and than any list of values that the number of values allows. */
const MAX_NAME_LENGTH = 2000;
const MAX_VALUE_LENGTH = 200_000;

/**
 * Makes a typed request of untrusted parameters (https://hl7.org/fhir/R4/search.html). Lenient handling leaves
 * out what is unknown and reports it in `ignored`; wrong values and exceeded limits are refused always.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER, INVALID_SEARCH, LIMIT_EXCEEDED; each names the parameter
 */
export function parseSearch(
  resourceType: string,
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  assertWithinLimit(parameters.length, context.limits.maxParameters, 'parameters');
  assertGivenOnce(parameters);
  const parts: ResultParts = {
    includes: [],
    sort: [],
    count: undefined,
    total: undefined,
    summary: undefined,
    elements: [],
    contained: undefined,
    containedType: undefined,
  };
  const criteria: Criterion[] = [];
  const applied: QueryParameter[] = [];
  const ignored: OutcomeIssue[] = [];
  const spend = budgetOf(context.limits.maxValues);
  const mayBeContained = asksForContained(parameters);
  if (mayBeContained) context.registry.missesContained?.(resourceType);
  for (const parameter of parameters) {
    const [name, value] = parameter;
    if (PASSED_OVER.has(name)) continue;
    assertWithinLimit(name.length, MAX_NAME_LENGTH, 'characters in the name of a parameter');
    assertWithinLimit(value.length, MAX_VALUE_LENGTH, 'characters in the value of a parameter');
    const one = { ...context, name, depth: context.limits.maxChain, mayBeContained, spend };
    try {
      if (isResultParameter(name.split(':', 1)[0] ?? ''))
        readResultParameter(parts, resourceType, value, one);
      else if (isFilter(name)) criteria.push(parseFilter(resourceType, value, one));
      else criteria.push(parseCriterion(resourceType, { name, value }, one));
      applied.push(parameter);
    } catch (error) {
      ignored.push(toWarning(error, context.handling));
    }
  }
  const { includes, sort, total, summary, elements, count = context.limits.defaultCount } = parts;
  return {
    place: { type: resourceType, compartment: null },
    resourceType,
    others: [],
    criteria,
    contained: toContainedSearch(parts, { criteria, applied }),
    includes,
    sort,
    total,
    summary,
    elements,
    count: Math.min(count, context.limits.maxCount),
    applied,
    ignored,
    asOf: context.now,
  };
}

/** Counted while they are read: a chain over many types must not be read to its end before it is refused. */
function budgetOf(limit: number): ParameterContext['spend'] {
  let spent = 0;
  return (values) => assertWithinLimit((spent += values), limit, 'values');
}

function assertWithinLimit(count: number, limit: number, what: string): void {
  if (count > limit) throw new FhirError('LIMIT_EXCEEDED', `The search has more than ${limit} ${what}.`);
}
