import { ERROR_SYSTEM, FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { ParameterContext, ParseContext } from './parse-context.js';
import { parseCriterion } from './parse-criterion.js';
import { isResultParameter, readResultParameter, type ResultParts } from './parse-result.js';
import type { Criterion, SearchRequest } from './search-request.js';

/** About the representation: http reads them. */
const PASSED_OVER: ReadonlySet<string> = new Set(['_format', '_pretty']);

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
  const parts: ResultParts = {
    includes: [],
    sort: [],
    count: undefined,
    total: undefined,
    summary: undefined,
    elements: [],
  };
  const criteria: Criterion[] = [];
  const applied: QueryParameter[] = [];
  const ignored: OutcomeIssue[] = [];
  for (const [name, value] of parameters) {
    if (PASSED_OVER.has(name)) continue;
    const one = { ...context, name, depth: context.limits.maxChain };
    try {
      if (isResultParameter(name.split(':', 1)[0] ?? ''))
        readResultParameter(parts, resourceType, value, one);
      else criteria.push(parseCriterion(resourceType, { name, value }, one));
      applied.push([name, value]);
    } catch (error) {
      ignored.push(toWarning(error, one));
    }
  }
  assertWithinLimit(
    criteria.map(countValues).reduce((sum, count) => sum + count, 0),
    context.limits.maxValues,
    'values',
  );
  const { count = context.limits.defaultCount, ...rest } = parts;
  return {
    resourceType,
    criteria,
    ...rest,
    count: Math.min(count, context.limits.maxCount),
    applied,
    ignored,
  };
}

/** The warning for something that may be left out; anything else is thrown again. */
function toWarning(error: unknown, { handling }: ParameterContext): OutcomeIssue {
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
    expression: error.options.expression ?? [],
  };
}

function countValues(criterion: Criterion): number {
  switch (criterion.kind) {
    case 'values':
      return criterion.values.length;
    case 'missing':
      return 1;
    case 'chain':
      return criterion.targets.reduce((sum, target) => sum + countValues(target.criterion), 0);
    case 'has':
      return countValues(criterion.criterion);
  }
}

function assertWithinLimit(count: number, limit: number, what: string): void {
  if (count > limit) throw new FhirError('LIMIT_EXCEEDED', `The search has more than ${limit} ${what}.`);
}
