import { DEFAULT_PARTITION_ID, type PartitionScope } from '../model/partition.js';
import type { SearchPlan, SearchStore } from '../storage/search-store.js';
import type { ResourceStore } from '../storage/store.js';

const TYPE = 'SearchParameter';

/** The two stores that see resources. */
export interface ResourceStores {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
}

/**
 * The same stores, in which R4's own search parameters are there before anybody asks for one: the first call about
 * SearchParameters waits for `seed`. Other calls cost one comparison.
 */
export function withOfficialParameters(stores: ResourceStores, seed: () => Promise<void>): ResourceStores {
  const after = <Result>(type: string | undefined, work: () => Promise<Result>): Promise<Result> =>
    type === TYPE ? seed().then(work) : work();
  const { resources, search } = stores;
  return {
    resources: {
      read: (scope, type, id) => after(type, () => resources.read(scope, type, id)),
      readVersion: (scope, type, id, version) =>
        after(type, () => resources.readVersion(scope, type, id, version)),
      history: (scope, query) => after(query.type, () => resources.history(scope, query)),
      countHistory: (scope, query) => after(query.type, () => resources.countHistory(scope, query)),
      write: (unit) => {
        const isAboutOne = unit.changes.some(
          (change) => (change.kind === 'delete' ? change.current.type : change.type) === TYPE,
        );
        return after(isAboutOne ? TYPE : undefined, () => resources.write(unit));
      },
    },
    search: {
      page: (scope, plan, window) => after(over(scope, plan), () => search.page(scope, plan, window)),
      firstPage: (scope, plan, window) =>
        after(over(scope, plan), () => search.firstPage(scope, plan, window)),
      count: (scope, plan, limit) => after(over(scope, plan), () => search.count(scope, plan, limit)),
      match: (scope, plan) => after(over(scope, plan), () => search.match(scope, plan)),
      explain: (scope, plan, window) => search.explain(scope, plan, window),
      linked: (scope, query) => search.linked(scope, query),
      hasStaleCopies: (scope, types) => search.hasStaleCopies(scope, types),
    },
  };
}

/** The type that counts: of several, ours if it is there. */
function over(scope: PartitionScope, { type }: SearchPlan): string | undefined {
  return typeof type === 'string' ? type : type.find((one) => one === TYPE && isThere(scope));
}

/** They are kept in DEFAULT: a search over many types elsewhere meets none of them. */
function isThere({ partitions }: PartitionScope): boolean {
  return partitions.includes(DEFAULT_PARTITION_ID);
}
