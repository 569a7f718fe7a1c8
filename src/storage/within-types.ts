import { DEFAULT_PARTITION_ID, type PartitionScope } from '../model/partition.js';
import { planWithin } from './plan-within.js';
import type { SearchPlan, SearchStore } from './search-store.js';
import type { HistoryQuery, ResourceStore, StoredVersion } from './store.js';

/** The two stores that see resources. */
interface Stores {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
}

/**
 * The same stores, in which a scope that is limited to types (see PartitionScope) has nothing of other types: not by
 * id, not as a match, not at the other end of a chain, `_has` or include. Other scopes cost one comparison.
 */
export function withinTypes({ resources, search }: Stores): Stores {
  return { resources: resourcesWithin(resources), search: searchWithin(search) };
}

function resourcesWithin(store: ResourceStore): ResourceStore {
  return {
    read: async (scope, type, id) =>
      isOpen(scope, type) ? ownFirst(scope, await store.read(scope, type, id)) : [],
    readVersion: async (scope, type, id, version) =>
      isOpen(scope, type)
        ? store.readVersion(await holding(store, scope, { type, id }), type, id, version)
        : [],
    history: async (scope, query) =>
      isOpen(scope, query.type) ? store.history(await holding(store, scope, query), query) : [],
    countHistory: async (scope, query) =>
      isOpen(scope, query.type) ? store.countHistory(await holding(store, scope, query), query) : 0,
    write: (unit) => store.write(unit),
  };
}

/** A partition that looks into DEFAULT besides has what it holds itself, and DEFAULT's where it holds nothing. */
function ownFirst({ types }: PartitionScope, holders: readonly StoredVersion[]): readonly StoredVersion[] {
  if (!types) return holders;
  const live = holders.filter(({ deleted }) => !deleted);
  const own = live.filter(({ partition }) => partition !== DEFAULT_PARTITION_ID);
  return own.length > 0 ? own : live.length > 0 ? live : holders;
}

/** The versions of one resource are those of the partition that it is read from. */
async function holding(
  store: ResourceStore,
  scope: PartitionScope,
  { type, id }: Pick<HistoryQuery, 'type' | 'id'>,
): Promise<PartitionScope> {
  if (!scope.types || scope.partitions.length < 2 || type === undefined || id === undefined) return scope;
  const [holder] = ownFirst(scope, await store.read(scope, type, id));
  return holder ? { ...scope, partitions: [holder.partition] } : scope;
}

function isOpen({ types }: PartitionScope, type: string | undefined): boolean {
  return !types || (type !== undefined && types.has(type));
}

function searchWithin(store: SearchStore): SearchStore {
  return {
    page: (scope, plan, window) => store.page(scope, openPlan(scope, plan), window),
    firstPage: (scope, plan, window) => store.firstPage(scope, openPlan(scope, plan), window),
    count: (scope, plan, limit) => store.count(scope, openPlan(scope, plan), limit),
    match: (scope, plan) => store.match(scope, openPlan(scope, plan)),
    explain: (scope, plan, window) => store.explain(scope, openPlan(scope, plan), window),
    hasStaleCopies: (scope, types) => store.hasStaleCopies(scope, types),
    linked: async (scope, query) => {
      const { types } = scope;
      const rows = await store.linked(scope, query);
      return types ? rows.filter(({ type }) => types.has(type)) : rows;
    },
  };
}

/** Resources of the types are open whole, and of others there is nothing. */
function openPlan({ types }: PartitionScope, plan: SearchPlan): SearchPlan {
  return types ? planWithin(plan, new Map([...types].map((type) => [type, null]))) : plan;
}
