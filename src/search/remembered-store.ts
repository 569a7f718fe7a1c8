import type { SearchRow, SearchStore } from '../storage/search-store.js';

/**
 * The same store for the look-ups of one search in one scope: what is asked again, for another type, is not read
 * again.
 */
export function rememberedStore(store: SearchStore): SearchStore {
  const known = new Map<string, Promise<readonly SearchRow[]>>();
  const once = (
    asked: readonly unknown[],
    read: () => Promise<readonly SearchRow[]>,
  ): Promise<readonly SearchRow[]> => {
    const key = JSON.stringify(asked);
    const found = known.get(key) ?? read();
    known.set(key, found);
    return found;
  };
  return {
    page: (scope, plan, window) => once([scope, plan, window], () => store.page(scope, plan, window)),
    linked: (scope, query) => once([scope, query], () => store.linked(scope, query)),
    firstPage: (scope, plan, window) => store.firstPage(scope, plan, window),
    count: (scope, plan, limit) => store.count(scope, plan, limit),
    match: (scope, plan) => store.match(scope, plan),
    explain: (scope, plan, window) => store.explain(scope, plan, window),
  };
}
