import type { RowKey, SearchPlan, SearchRow, SortDirection } from '../search-store.js';
import type { StoredVersion } from '../store.js';

type Compare<Item> = (a: Item, b: Item) => number;

/** The first `count` of several lists that are each in the order of `compare`. */
export function mergeSorted<Item>(
  lists: readonly (readonly Item[])[],
  compare: Compare<Item>,
  count: number,
): readonly Item[] {
  return lists.flat().toSorted(compare).slice(0, count);
}

/** History's order: newest first. */
export function newestFirst(a: StoredVersion, b: StoredVersion): number {
  return b.updated - a.updated || b.rowId - a.rowId || b.version - a.version;
}

/**
 * The order of a search over several partitions: its sort keys, values that are missing last, then row ids, which
 * are unique over all homes.
 */
export function searchOrder({ sort }: SearchPlan): Compare<SearchRow> {
  const directions: readonly SortDirection[] = [
    ...sort.map(({ direction }) => direction),
    sort.at(-1)?.direction ?? 'ascending',
  ];
  return (a, b) => compareKeys(a.key, b.key, directions);
}

function compareKeys(a: RowKey, b: RowKey, directions: readonly SortDirection[]): number {
  for (const [index, direction] of directions.entries()) {
    const order = compareValues(a[index] ?? null, b[index] ?? null, direction);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: RowKey[number], b: RowKey[number], direction: SortDirection): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  const ascending = typeof a === 'number' ? a - Number(b) : compareText(a, String(b));
  return direction === 'ascending' ? ascending : -ascending;
}

/** By code points, as databases compare: JavaScript's own order differs beyond U+FFFF. */
function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
