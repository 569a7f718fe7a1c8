import { combineAll, type TypeGroup } from '../storage/combined-conditions.js';
import type { Condition, SearchPlan, SortKey } from '../storage/search-store.js';
import { invalidParameter } from './parse-context.js';
import { planContained } from './plan-contained.js';
import { planRecord } from './plan-record.js';
import { planSearch } from './plan.js';
import type { SearchRequest, TypedSearch } from './search-request.js';

/** A plan of one type. */
interface TypedPlan {
  readonly type: string;
  readonly where: Condition;
  readonly sort: readonly SortKey[];
  readonly order?: SearchPlan['order'];
}

/**
 * What the store has to find for a whole request. Types that ask for the same become one condition over the rows of
 * all of them, so that a search over many types is as many conditions as one over a single type.
 * @throws FhirError INVALID_SEARCH where types can't be sorted together
 */
export function planRequest(
  request: TypedSearch & Pick<SearchRequest, 'others' | 'place' | 'record' | 'contained'>,
): SearchPlan {
  if (request.record) return planRecord(request.record);
  if (request.contained) return planContained(request, request.contained);
  if (request.place.type !== null) return planSearch(request);
  const plans = [request, ...request.others].map(planTyped);
  const types = plans.map(({ type }) => type);
  const [only, ...more] = combineAll(plans);
  if (only === undefined) throw new Error('A search needs a type.');
  const sort = combineSorts(plans);
  const order = plans.some((plan) => plan.order) ? ({ order: 'age' } as const) : {};
  if (more.length === 0) return { type: types, where: only.where, sort, ...order };
  const of = [only, ...more].map((group): Condition => ({ kind: 'all', of: [ofTypes(group), group.where] }));
  return { type: types, where: { kind: 'any', of }, sort, ...order };
}

function planTyped(search: TypedSearch): TypedPlan {
  return { ...planSearch(search), type: search.resourceType };
}

function ofTypes({ types }: TypeGroup): Condition {
  return { kind: 'types', types };
}

/** The first type's keys, with the places of all others beside them. */
function combineSorts([first, ...others]: readonly TypedPlan[]): readonly SortKey[] {
  return (first?.sort ?? []).map((key, at) =>
    others.reduce((all, { type, sort }) => combineKeys(all, type, sort[at]), key),
  );
}

function combineKeys(all: SortKey, type: string, key: SortKey | undefined): SortKey {
  if (all.by === 'relevance' && key?.by === 'relevance')
    return { ...all, others: [...(all.others ?? []), { type, paths: key.paths }] };
  if (all.by !== 'index') return all;
  if (key?.by !== 'index' || key.index !== all.index)
    throw invalidParameter('_sort', 'the types that are searched hold values of different kinds there.');
  const { paths, targetFilter } = key;
  const place = { type, paths, ...(targetFilter && { targetFilter }) };
  return { ...all, others: [...(all.others ?? []), place] };
}
