import type { IndexSource, RawRow, RawValue, ReplacedVersion } from '../placement/home.js';

/** The columns of `ofType`. */
type SourceRow = readonly [rowId: number, id: string, version: number, date: RawValue, text: string | null];

/** The last id of a page whose resources have so many bytes together at most, or of its first; undefined: no rows. */
export function lastWithin(sizes: readonly RawRow[], bytes: number): string | undefined {
  let sum = 0;
  let last: string | undefined;
  for (const [id, size] of sizes) {
    sum += Number(size ?? 0);
    if (last !== undefined && sum > bytes) break;
    last = String(id);
  }
  return last;
}

/** Rows of `ofType`. */
export function toIndexSources(rows: readonly RawRow[]): readonly IndexSource[] {
  return (rows as unknown as readonly SourceRow[]).map(([rowId, id, version, date, text]) => {
    return { rowId, id, version, date, text };
  });
}

/** Rows of `replacedWithin`. */
export function toReplaced(rows: readonly RawRow[]): readonly ReplacedVersion[] {
  return rows.map(([rowId, version, text]) => ({
    rowId: Number(rowId),
    version: Number(version),
    text: String(text),
  }));
}
