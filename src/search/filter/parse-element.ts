import type { CompositeComponent, SearchParameter } from '../../fhir/index-values.js';
import { invalidParameter, type ParameterContext } from '../parse-context.js';
import { findParameter } from '../parse-criterion.js';
import type { Criterion, SearchValue } from '../search-request.js';
import type { FilterNode, FilterOperator, FilterStep, FilterTest } from './filter-node.js';
import { parseTestValue } from './parse-test.js';
import { placeOf } from './read-filter.js';

/** An element of which a filter asks two things at once. */
export interface FilterElement {
  /** The composite parameter that keeps the two together. */
  readonly composite: string;
  /** The parameters of its components, by the names that they have in filters. */
  readonly names: ReadonlyMap<string, string>;
}

/** Names that filters alone have, where R4 has parameters for them: https://hl7.org/fhir/R4/search_filter.html#params. */
const ELEMENTS: Readonly<Record<string, FilterElement>> = {
  'Group.characteristic': {
    composite: 'characteristic-value',
    names: new Map([
      ['code', 'characteristic'],
      ['value', 'value'],
    ]),
  },
  'DocumentReference.relatesTo': {
    composite: 'relationship',
    names: new Map([
      ['code', 'relation'],
      ['target', 'relatesto'],
    ]),
  },
};

/** The element that a name of a filter means on a type; undefined where it means a search parameter. */
export function filterElement(type: string, name: string): FilterElement | undefined {
  return ELEMENTS[`${type}.${name}`];
}

/** What speaks of a whole path, and what stands for several codes. */
const NOT_OF_PARTS: ReadonlySet<FilterOperator> = new Set<FilterOperator>(['pr', 'ni', 'in', 'ss', 'sb']);

/** The parts of `relatesTo[code eq x].target re y`. */
interface ElementTest {
  readonly step: FilterStep;
  readonly rest: readonly FilterStep[];
  readonly test: FilterTest;
}

/**
 * Two tests on the same element: of one component in brackets, one or several joined by "or", of the other behind.
 * @throws FhirError INVALID_SEARCH
 */
export function parseElement(
  type: string,
  element: FilterElement,
  { step, rest, test }: ElementTest,
  context: ParameterContext,
): Criterion {
  const here = { ...context, name: placeOf(step.position) };
  const parameter = findParameter(type, element.composite, here);
  const components = parameter.roots?.[0]?.components ?? [];
  const known = [...element.names.keys()].join(' and ');
  const read = (one: FilterTest, [name, ...further]: readonly FilterStep[]): ElementPart => {
    const code = name === undefined ? undefined : element.names.get(name.name);
    const place = { ...context, name: placeOf(name?.position ?? step.position) };
    if (code === undefined || further.length > 0 || name?.filter !== undefined)
      throw invalidParameter(place.name, `"${step.name}" has ${known}, nothing else.`);
    if (NOT_OF_PARTS.has(one.operator))
      throw invalidParameter(place.name, `"${one.operator}" is not for parts of "${step.name}".`);
    const component = componentFor(findParameter(type, code, place), components);
    if (component === undefined)
      throw invalidParameter(place.name, `"${name?.name}" of "${step.name}" has no values here.`);
    return { component, value: parseTestValue(one, component, place) };
  };
  if (step.filter === undefined)
    throw invalidParameter(here.name, `write ${step.name}[filter].name with ${known}.`);
  const outer = read(test, rest);
  const values = alternatives(step.filter, here).map((inner) => {
    const parts = [outer, read(inner, inner.path)];
    const ordered = components.map((component) => parts.find((part) => part.component === component)?.value);
    const complete = ordered.filter((value) => value !== undefined);
    if (complete.length < components.length)
      throw invalidParameter(here.name, `ask for both ${known} of "${step.name}".`);
    return { kind: 'composite' as const, parts: complete };
  });
  return { kind: 'values', parameter, values, negated: false };
}

interface ElementPart {
  readonly component: CompositeComponent;
  readonly value: SearchValue;
}

/** By the type first: in R4 the two components of `relationship` have each other's definition. */
function componentFor(
  { code, type }: SearchParameter,
  components: readonly CompositeComponent[],
): CompositeComponent | undefined {
  const alike = components.filter((component) => component.type === type);
  return alike.find((one) => one.code === code) ?? alike[0];
}

function alternatives(node: FilterNode, context: ParameterContext): readonly FilterTest[] {
  if (node.kind === 'test') return [node];
  if (node.kind === 'or') return node.of.flatMap((part) => alternatives(part, context));
  throw invalidParameter(context.name, 'these brackets hold one test, or several with "or" between them.');
}
