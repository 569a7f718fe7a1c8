import type { SearchParameter } from '../fhir/index-values.js';
import type { PartitionScope } from '../model/partition.js';
import { FhirError } from '../model/errors.js';
import type { SearchStore } from '../storage/search-store.js';
import type { SearchParameterSource } from './parse-context.js';
import type { HierarchyLevel, SearchValue } from './search-request.js';

type AskedHierarchy = Extract<SearchValue, { kind: 'hierarchy' }>;

/** What the parameters are called that make a tree of the resources of one type. */
const PART_CODES = ['partof', 'part-of', 'parent'];
/** Most resources of the hierarchies of one parameter and type. */
const MAX_MEMBERS = 10_000;
/** Each level is one statement. */
const MAX_LEVELS = 50;

/** How resources of a type are parts of one another, such as by `Location.partOf`; undefined where they are not. */
export function hierarchyOf(registry: SearchParameterSource, type: string): HierarchyLevel | undefined {
  const parts = PART_CODES.map((code) => registry.find(type, code)).find((one) => isOwnPart(one, type));
  return parts && { type, paths: parts.paths };
}

function isOwnPart(parameter: SearchParameter | undefined, type: string): boolean {
  return parameter?.type === 'reference' && parameter.targets.includes(type);
}

/** Whether the value stands for a hierarchy that has to be looked up. */
export function isHierarchy(value: SearchValue): value is AskedHierarchy {
  return value.kind === 'hierarchy';
}

/**
 * The alternatives with all hierarchies in one list: the resources that were named and everything above or below
 * them. All hierarchies of a type are walked together, one statement for each level; circles end them.
 * @throws FhirError LIMIT_EXCEEDED where there is too much of it
 */
export async function resolveHierarchies(
  values: readonly SearchValue[],
  store: SearchStore,
  scope: PartitionScope,
): Promise<readonly SearchValue[]> {
  const asked = values.filter(isHierarchy);
  if (asked.length === 0) return values;
  const rowIds: number[] = [];
  for (const walk of toWalks(asked)) rowIds.push(...(await membersOf(store, scope, walk)));
  return [...values.filter((value) => !isHierarchy(value)), { kind: 'rows', rowIds }];
}

/** What is walked at once. */
interface HierarchyWalk extends HierarchyLevel {
  readonly direction: 'above' | 'below';
  readonly ids: readonly string[];
}

function toWalks(asked: readonly AskedHierarchy[]): readonly HierarchyWalk[] {
  const walks = new Map<string, HierarchyWalk>();
  for (const { direction, id, levels } of asked) {
    for (const level of levels) {
      const key = `${direction} ${level.type}`;
      walks.set(key, { ...level, direction, ids: [...(walks.get(key)?.ids ?? []), id] });
    }
  }
  return [...walks.values()];
}

async function membersOf(
  store: SearchStore,
  scope: PartitionScope,
  { type, paths, direction, ids }: HierarchyWalk,
): Promise<readonly number[]> {
  const count = ids.length * scope.partitions.length;
  const starts = await store.page(scope, { type, where: { kind: 'ids', ids }, sort: [] }, { count });
  const seen = new Set(starts.map(({ rowId }) => rowId));
  const links = {
    direction: direction === 'below' ? 'revinclude' : 'include',
    sourceType: type,
    paths,
    targetType: type,
    limit: MAX_MEMBERS + 1,
  } as const;
  let from = [...seen];
  for (let depth = 0; from.length > 0; depth++) {
    const rows = await store.linked(scope, { ...links, from });
    from = rows.map(({ rowId }) => rowId).filter((rowId) => !seen.has(rowId));
    for (const rowId of from) seen.add(rowId);
    if (seen.size > MAX_MEMBERS || depth === MAX_LEVELS) throw tooLarge(type);
  }
  return [...seen];
}

function tooLarge(type: string): FhirError {
  return new FhirError(
    'LIMIT_EXCEEDED',
    `The hierarchy of type ${type} has more than ${MAX_MEMBERS} resources or ${MAX_LEVELS} levels.`,
  );
}
