import { DEFAULT_PARTITION_ID, type PartitionScope } from '../model/partition.js';
import type { Condition, ContainedCondition, HasCondition, SearchPlan, SearchStore } from './search-store.js';
import type { HistoryQuery, ResourceStore, StoredVersion } from './store.js';

/** The two stores that see resources. */
interface Stores {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
}

type Types = ReadonlySet<string>;

/** A condition that no resource meets. */
const NEVER: Condition = { kind: 'any', of: [] };

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
  if (!types || holders.length < 2) return holders;
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
    page: (scope, plan, window) => store.page(scope, planWithin(scope, plan), window),
    firstPage: (scope, plan, window) => store.firstPage(scope, planWithin(scope, plan), window),
    count: (scope, plan, limit) => store.count(scope, planWithin(scope, plan), limit),
    match: (scope, plan) => store.match(scope, planWithin(scope, plan)),
    explain: (scope, plan, window) => store.explain(scope, planWithin(scope, plan), window),
    hasStaleCopies: (scope, types) => store.hasStaleCopies(scope, types),
    linked: async (scope, query) => {
      const { types } = scope;
      const rows = await store.linked(scope, query);
      return types ? rows.filter(({ type }) => types.has(type)) : rows;
    },
  };
}

function planWithin({ types }: PartitionScope, plan: SearchPlan): SearchPlan {
  if (!types) return plan;
  const type = typesWithin(plan.type, types);
  const where = type === null ? NEVER : conditionWithin(plan.where, types);
  const { contained } = plan;
  return {
    ...plan,
    type: type ?? [],
    where,
    ...(contained && { contained: containedWithin(contained, types) }),
  };
}

/** Null where none of them is left. */
function typesWithin(asked: SearchPlan['type'], types: Types): SearchPlan['type'] | null {
  if (typeof asked === 'string') return types.has(asked) ? asked : null;
  const left = asked.filter((type) => types.has(type));
  return left.length === 0 ? null : left;
}

function conditionWithin(condition: Condition, types: Types): Condition {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { ...condition, of: condition.of.map((part) => conditionWithin(part, types)) };
    case 'not':
      return { ...condition, of: conditionWithin(condition.of, types) };
    case 'chain': {
      const targets = condition.targets
        .filter(({ type }) => types.has(type))
        .map(({ type, where }) => ({ type, where: conditionWithin(where, types) }));
      return targets.length === 0 ? NEVER : { ...condition, targets };
    }
    case 'has':
      return hasWithin(condition, types);
    case 'contained':
      return containedWithin(condition, types);
    case 'ids':
    case 'types':
    case 'updated':
    case 'index':
    case 'element':
      return condition;
  }
}

/** What a visible resource contains is visible, whatever its type. */
function containedWithin(condition: ContainedCondition, types: Types): ContainedCondition {
  const where = conditionWithin(condition.where, types);
  if (condition.via !== null) return { ...condition, where };
  const within = condition.within?.filter((type) => types.has(type)) ?? [...types];
  return { ...condition, within, where };
}

function hasWithin(condition: HasCondition, types: Types): Condition {
  const type = typesWithin(condition.type, types);
  return type === null ? NEVER : { ...condition, type, where: conditionWithin(condition.where, types) };
}
