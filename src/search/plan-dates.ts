import type { Condition, IndexCondition } from '../storage/search-store.js';

type DateCondition = Extract<IndexCondition, { readonly index: 'date' }>;

/**
 * Puts together what is asked of one element that no resource has twice, such as `date=ge2020&date=lt2021`: the same row
 * has to pass all of it, so that nobody looks for two.
 */
export function joinDates(conditions: readonly Condition[]): readonly Condition[] {
  const joined: Condition[] = [];
  const places = new Map<string, number>();
  for (const condition of conditions) {
    const path = joinablePath(condition);
    const place = path === undefined ? undefined : places.get(path);
    if (path !== undefined && place === undefined) places.set(path, joined.length);
    if (place === undefined) joined.push(condition);
    else joined[place] = join(joined[place] as DateCondition, condition as DateCondition);
  }
  return joined;
}

/** The path of a condition that may be put together with others on it. */
function joinablePath(condition: Condition): string | undefined {
  if (condition.kind !== 'index' || condition.index !== 'date' || condition.single !== true) return undefined;
  return condition.tests?.length === 1 ? condition.paths[0] : undefined;
}

function join(one: DateCondition, other: DateCondition): DateCondition {
  const every = [...(one.tests ?? []), ...(other.tests ?? [])].flatMap((test) =>
    'every' in test ? test.every : [test],
  );
  return { ...one, tests: [{ every }] };
}
