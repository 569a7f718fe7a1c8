import type { CompositeComponent, CompositeRoot } from '../fhir/index-values.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import type { ComponentCondition, Condition, ReferenceTest } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

/** The condition of one component on its rows; without a value, that there are any. */
export type PlanComponent = (
  component: CompositeComponent,
  values: readonly SearchValue[] | null,
) => Condition;

/**
 * All components hold for one of the roots, those within elements for the same element:
 * https://hl7.org/fhir/R4/search.html#combining. Without values, all of them are there.
 */
export function planComposite(
  roots: readonly CompositeRoot[],
  values: readonly SearchValue[] | null,
  plan: PlanComponent,
): Condition {
  const asked =
    values === null ? [null] : values.flatMap((value) => (value.kind === 'composite' ? value : []));
  const of = roots.flatMap((root) => asked.map((value) => planRoot(root, value?.parts ?? null, plan)));
  return { kind: 'any', of };
}

function planRoot(
  { components }: CompositeRoot,
  values: readonly SearchValue[] | null,
  plan: PlanComponent,
): Condition {
  const of: Condition[] = [];
  const parts: (readonly ComponentCondition[])[] = [];
  components.forEach((component, at) => {
    const condition = plan(component, values && values.slice(at, at + 1));
    if (component.within === 'element') parts.push(toAlternatives(condition));
    else of.push(condition);
  });
  return { kind: 'all', of: parts.length === 0 ? of : [...of, { kind: 'element', parts }] };
}

/** Conditions of which any may hold for one element, of a condition on index rows or of several. */
export function toAlternatives(condition: Condition): readonly ComponentCondition[] {
  if (condition.kind === 'any') return condition.of.flatMap(toAlternatives);
  if (condition.kind !== 'index' || condition.index === 'text') return [];
  if (condition.index !== 'reference') return [condition];
  const { kind, type, paths, tests } = condition;
  return [{ kind, index: 'uri', type, paths, tests: tests && tests.map(toUriTest) }];
}

/** Within elements a reference is the text `Type/id`, or its URL. */
function toUriTest(test: ReferenceTest): { readonly values: readonly string[] } {
  switch (test.kind) {
    case 'local': {
      const types = test.types.length === 0 ? [...RESOURCE_TYPES] : test.types;
      return { values: types.map((type) => `${type}/${test.id}`) };
    }
    case 'url':
      return { values: [test.url] };
    case 'urls':
      return { values: test.urls };
    case 'rows':
    case 'urlPrefix':
      // These come of modifiers, which a component has none of.
      return { values: [] };
  }
}
