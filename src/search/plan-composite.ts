import type { CompositeComponent, CompositeRoot } from '../fhir/index-values.js';
import type { Condition } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

/** The condition of one component on the rows of the resource; without a value, that there are any. */
export type PlanComponent = (
  component: CompositeComponent,
  values: readonly SearchValue[] | null,
) => Condition;

/**
 * All components hold for one of the roots: https://hl7.org/fhir/R4/search.html#combining. Without values, all of
 * them are there.
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
  parts: readonly SearchValue[] | null,
  plan: PlanComponent,
): Condition {
  const of = components.map((component, at) => plan(component, parts && parts.slice(at, at + 1)));
  return { kind: 'all', of };
}
