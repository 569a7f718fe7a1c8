import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import type { Condition, ContainedCondition, SearchPlan } from '../storage/search-store.js';
import { planSearch } from './plan.js';
import type { ContainedSearch, TypedSearch } from './search-request.js';

/**
 * Resources of the type that are contained in resources of any type, and with `both` resources of their own beside
 * them: https://hl7.org/fhir/R4/search.html#contained.
 */
export function planContained(search: TypedSearch, { mode, as }: ContainedSearch): SearchPlan {
  const { resourceType } = search;
  const { where } = planSearch(search);
  const contained: ContainedCondition = { kind: 'contained', type: resourceType, via: null, where };
  const own: Condition = { kind: 'all', of: [{ kind: 'types', types: [resourceType] }, where] };
  const others = mode === 'both' ? [own] : [];
  const plan = { type: [...RESOURCE_TYPES], sort: [] };
  if (as === 'contained') return { ...plan, where: { kind: 'any', of: others }, contained };
  return { ...plan, where: { kind: 'any', of: [...others, contained] } };
}
