import type { SearchStore } from '../storage/search-store.js';

/**
 * The same store for the look-ups of one search in one scope: what is asked again, for another type, is not read
 * again.
 */
export function rememberedStore(store: SearchStore): SearchStore {
  const pages = remembered(store.page.bind(store));
  const links = remembered(store.linked.bind(store));
  const staleness = remembered(store.hasStaleCopies.bind(store));
  return {
    page: (scope, plan, window) => pages(scope, plan, window),
    linked: (scope, query) => links(scope, query),
    hasStaleCopies: (scope, types) => staleness(scope, types),
    firstPage: (scope, plan, window) => store.firstPage(scope, plan, window),
    count: (scope, plan, limit) => store.count(scope, plan, limit),
    match: (scope, plan) => store.match(scope, plan),
    explain: (scope, plan, window) => store.explain(scope, plan, window),
  };
}

/** The answer of equal questions is that of the first. */
function remembered<Asked extends readonly unknown[], Answer>(
  read: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    const answer = known.get(key) ?? read(...asked);
    known.set(key, answer);
    return answer;
  };
}
