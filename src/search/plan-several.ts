import { isDeepStrictEqual } from 'node:util';
import type {
  ComponentCondition,
  Condition,
  ContainedCondition,
  ElementCondition,
  SearchPlan,
  SortKey,
} from '../storage/search-store.js';
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

/** Types that have one condition together. */
interface Group {
  readonly types: readonly string[];
  readonly where: Condition;
}

function planTyped(search: TypedSearch): TypedPlan {
  return { ...planSearch(search), type: search.resourceType };
}

function ofTypes({ types }: Group): Condition {
  return { kind: 'types', types };
}

function combineAll(plans: readonly TypedPlan[]): readonly Group[] {
  const groups: Group[] = [];
  for (const { type, where } of plans) {
    const at = groups.findIndex((group) => combine(group.where, where) !== null);
    const group = groups[at];
    if (group === undefined) groups.push({ types: [type], where });
    else groups[at] = { types: [...group.types, type], where: combine(group.where, where) ?? where };
  }
  return groups;
}

/** One condition that stands for both, each for its own type; null where they ask for different things. */
function combine(a: Condition, b: Condition): Condition | null {
  if (a.kind === 'not' && b.kind === 'not') {
    const of = combine(a.of, b.of);
    return of && { kind: 'not', of };
  }
  if ((a.kind === 'all' && b.kind === 'all') || (a.kind === 'any' && b.kind === 'any')) {
    const of = a.of.length === b.of.length ? a.of.map((part, at) => combine(part, b.of[at]!)) : [null];
    return of.every((part) => part !== null) ? { kind: a.kind, of } : null;
  }
  if ((a.kind === 'index' && b.kind === 'index') || (a.kind === 'chain' && b.kind === 'chain'))
    return combineRows(a, b);
  if (a.kind === 'element' && b.kind === 'element') return combineElements(a, b);
  if (a.kind === 'contained' && b.kind === 'contained') return combineContained(a, b);
  return isDeepStrictEqual(a, b) ? a : null;
}

type Rows = Extract<Condition, { kind: 'index' | 'chain' }>;

/** Index rows say themselves which type they are of, so that those of several types stand beside one another. */
function combineRows<Asked extends Rows>(a: Asked, b: Rows | undefined): Asked | null {
  if (b === undefined) return null;
  const { type, paths, others: _further, ...asked } = b;
  const { type: _first, paths: _own, others = [], ...askedFirst } = a;
  if (!isDeepStrictEqual(askedFirst, asked)) return null;
  return { ...a, others: [...others, { type, paths }] };
}

/** What is contained is asked the same whoever refers to it. */
function combineContained(a: ContainedCondition, b: ContainedCondition): Condition | null {
  if (a.via === null || b.via === null) return isDeepStrictEqual(a, b) ? a : null;
  const isSame = a.type === b.type && isDeepStrictEqual(a.where, b.where);
  return isSame ? { ...a, via: [...a.via, ...b.via] } : null;
}

/** Elements are of one resource, so that their rows stand beside those of other types in the same way. */
function combineElements(a: ElementCondition, b: ElementCondition): Condition | null {
  if (a.parts.length !== b.parts.length) return null;
  const parts = a.parts.map((part, at) => combineParts(part, b.parts[at] ?? []));
  return parts.every((part) => part !== null) ? { kind: 'element', parts } : null;
}

function combineParts(
  a: readonly ComponentCondition[],
  b: readonly ComponentCondition[],
): readonly ComponentCondition[] | null {
  const part = a.length === b.length ? a.map((one, at) => combineRows(one, b[at])) : [null];
  return part.every((one) => one !== null) ? part : null;
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
