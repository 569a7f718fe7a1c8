import { parseChain } from '../parse-chain.js';
import { invalidParameter, unknownParameter, type ParameterContext } from '../parse-context.js';
import { COMMON_PARAMETERS } from '../common-parameters.js';
import { findParameter } from '../parse-criterion.js';
import type { Criterion } from '../search-request.js';
import type { FilterNode, FilterStep, FilterTest } from './filter-node.js';
import { filterElement, parseElement } from './parse-element.js';
import { isDenied, parseTest } from './parse-test.js';
import { placeOf, readFilter } from './read-filter.js';

const FILTER = '_filter';

/**
 * What a search has beside the parameters of its resources, and the words of whole resources: none of the operators of
 * filters means anything for them.
 */
const OF_THEIR_OWN: ReadonlySet<string> = new Set([
  ...COMMON_PARAMETERS.map(({ name }) => name),
  '_text',
  '_content',
  '_query',
]);

/** Whether a parameter is a filter, with or without a modifier. */
export function isFilter(name: string): boolean {
  return name === FILTER || name.startsWith(`${FILTER}:`);
}

/**
 * `_filter` on resources of a type, https://hl7.org/fhir/R4/search_filter.html.
 * @throws FhirError UNKNOWN_SEARCH_PARAMETER, INVALID_SEARCH, LIMIT_EXCEEDED; they say at which character
 */
export function parseFilter(type: string, text: string, context: ParameterContext): Criterion {
  if (context.name !== FILTER) throw unknownParameter(context.name, 'it takes no modifier.');
  return parseNode(type, readFilter(text), context);
}

function parseNode(type: string, node: FilterNode, context: ParameterContext): Criterion {
  switch (node.kind) {
    case 'and':
      return { kind: 'all', of: node.of.map((part) => parseNode(type, part, context)) };
    case 'or':
      return { kind: 'any', of: node.of.map((part) => parseNode(type, part, context)) };
    case 'not':
      return { kind: 'not', of: parseNode(type, node.of, context) };
    case 'test': {
      const criterion = parsePath(type, node.path, { test: node, context });
      return isDenied(node) ? { kind: 'not', of: criterion } : criterion;
    }
  }
}

/** The test at the end of a path. */
interface End {
  readonly test: FilterTest;
  readonly context: ParameterContext;
}

/** What the rest of a path asks of resources of a type. */
function parsePath(type: string, path: readonly FilterStep[], { test, context }: End): Criterion {
  const [step, ...rest] = path;
  if (step === undefined) throw new Error('A path has a name at least.');
  const here = { ...context, name: placeOf(step.position) };
  const element = rest.length === 0 ? undefined : filterElement(type, step.name);
  if (element !== undefined) return parseElement(type, element, { step, rest, test }, context);
  if (OF_THEIR_OWN.has(step.name))
    throw invalidParameter(here.name, `"${step.name}" is a parameter of its own, not part of a filter.`);
  const parameter = findParameter(type, step.name, here);
  if (rest.length === 0) return parseTest(test, parameter, here);
  return parseChain({ parameter, targetType: step.type }, here, (target, further) => {
    const found = parsePath(target, rest, { test, context: further });
    if (step.filter === undefined) return found;
    return { kind: 'all', of: [parseNode(target, step.filter, further), found] };
  });
}
