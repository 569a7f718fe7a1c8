import type { SearchParameter } from '../fhir/index-values.js';
import type { PartitionScope } from '../model/partition.js';
import { FhirError } from '../model/errors.js';
import type { SearchStore } from '../storage/search-store.js';
import type { SearchParameterSource } from './parse-context.js';
import type { HierarchyLevel, SearchValue } from './search-request.js';

type AskedHierarchy = Extract<SearchValue, { kind: 'hierarchy' }>;

/** What the parameters are called that make a tree of the resources of one type. */
const PART_CODES = ['partof', 'part-of', 'parent'];
/** Most resources of one hierarchy. */
const MAX_MEMBERS = 10_000;
/** Each level is one statement. */
const MAX_LEVELS = 100;

/** How resources of a type are parts of one another, such as by `Location.partOf`; undefined where they are not. */
export function hierarchyOf(registry: SearchParameterSource, type: string): HierarchyLevel | undefined {
  const parts = PART_CODES.map((code) => registry.find(type, code)).find((one) => isOwnPart(one, type));
  return parts && { type, paths: parts.paths };
}

function isOwnPart(parameter: SearchParameter | undefined, type: string): boolean {
  return parameter?.type === 'reference' && parameter.targets.includes(type);
}

/**
 * The resource and everything above or below it, level by level. References that lead in a circle end it.
 * @throws FhirError LIMIT_EXCEEDED where there are too many
 */
export async function resolveHierarchy(
  store: SearchStore,
  scope: PartitionScope,
  asked: AskedHierarchy,
): Promise<SearchValue> {
  const rowIds: number[] = [];
  for (const level of asked.levels) rowIds.push(...(await membersOf(store, scope, { ...asked, level })));
  return { kind: 'rows', rowIds };
}

async function membersOf(
  store: SearchStore,
  scope: PartitionScope,
  { id, direction, level }: AskedHierarchy & { readonly level: HierarchyLevel },
): Promise<readonly number[]> {
  const { type, paths } = level;
  const count = scope.partitions.length;
  const starts = await store.page(scope, { type, where: { kind: 'ids', ids: [id] }, sort: [] }, { count });
  const seen = new Set(starts.map(({ rowId }) => rowId));
  let from = [...seen];
  for (let depth = 0; from.length > 0; depth++) {
    const links = { sourceType: type, paths, targetType: type, from, limit: MAX_MEMBERS + 1 } as const;
    const rows = await store.linked(scope, {
      direction: direction === 'below' ? 'revinclude' : 'include',
      ...links,
    });
    from = rows.map(({ rowId }) => rowId).filter((rowId) => !seen.has(rowId));
    for (const rowId of from) seen.add(rowId);
    if (seen.size > MAX_MEMBERS || depth === MAX_LEVELS) throw tooLarge(type, id);
  }
  return [...seen];
}

function tooLarge(type: string, id: string): FhirError {
  return new FhirError(
    'LIMIT_EXCEEDED',
    `The hierarchy of ${type}/${id} has more than ${MAX_MEMBERS} resources or ${MAX_LEVELS} levels.`,
  );
}
