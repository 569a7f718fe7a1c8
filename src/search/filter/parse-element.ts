import { invalidParameter, type ParameterContext } from '../parse-context.js';
import { findParameter } from '../parse-criterion.js';
import type { Criterion, SearchValue } from '../search-request.js';
import type { FilterNode, FilterStep, FilterTest } from './filter-node.js';
import { parseTestValue } from './parse-test.js';
import { placeOf } from './read-filter.js';

/** An element of which a filter asks two things at once. */
export interface FilterElement {
  /** The composite parameter that keeps the two together. */
  readonly composite: string;
  /** The parameters of its components, by the names that they have in filters. */
  readonly names: Readonly<Record<string, string>>;
}

/** Names that filters alone have, where R4 has parameters for them: https://hl7.org/fhir/R4/search_filter.html#params. */
const ELEMENTS: Readonly<Record<string, FilterElement>> = {
  'Group.characteristic': {
    composite: 'characteristic-value',
    names: { code: 'characteristic', value: 'value' },
  },
  'DocumentReference.relatesTo': {
    composite: 'relationship',
    names: { code: 'relation', target: 'relatesto' },
  },
};

/** The element that a name of a filter means on a type; undefined where it means a search parameter. */
export function filterElement(type: string, name: string): FilterElement | undefined {
  return ELEMENTS[`${type}.${name}`];
}

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
  const known = Object.keys(element.names).join(' and ');
  const read = (one: FilterTest, [name, ...further]: readonly FilterStep[]): NamedPart => {
    const code = name === undefined ? undefined : element.names[name.name];
    const component = components.find((part) => part.code === code);
    const place = { ...context, name: placeOf(name?.position ?? step.position) };
    if (component === undefined || further.length > 0 || name?.filter !== undefined)
      throw invalidParameter(place.name, `"${step.name}" has ${known}, nothing else.`);
    if (one.operator === 'pr' || one.operator === 'ni')
      throw invalidParameter(place.name, `"${one.operator}" is not for parts of "${step.name}".`);
    return { code: component.code, value: parseTestValue(one, component, place) };
  };
  if (step.filter === undefined)
    throw invalidParameter(here.name, `write ${step.name}[filter].name with ${known}.`);
  const outer = read(test, rest);
  const values = alternatives(step.filter, here).map((inner) => {
    const parts = [outer, read(inner, inner.path)];
    const ordered = components.map(({ code }) => parts.find((part) => part.code === code)?.value);
    const complete = ordered.filter((value) => value !== undefined);
    if (complete.length < components.length)
      throw invalidParameter(here.name, `ask for both ${known} of "${step.name}".`);
    return { kind: 'composite' as const, parts: complete };
  });
  return { kind: 'values', parameter, values, negated: false };
}

interface NamedPart {
  readonly code: string;
  readonly value: SearchValue;
}

function alternatives(node: FilterNode, context: ParameterContext): readonly FilterTest[] {
  if (node.kind === 'test') return [node];
  if (node.kind === 'or') return node.of.flatMap((part) => alternatives(part, context));
  throw invalidParameter(context.name, 'these brackets hold one test, or several with "or" between them.');
}
