import type { SearchRow } from '../storage/search-store.js';
import { followCanonical, type CanonicalParts } from './include-canonical.js';
import type { Include } from './search-request.js';

/** What includes are collected with. The scope is the search's own: an include never sees more. */
export interface IncludeTask extends CanonicalParts {
  readonly includes: readonly Include[];
  /** Most resources to add. */
  readonly limit: number;
}

/** Resources that were added to a page; `truncated` where there were more than the limit. */
export interface Included {
  readonly rows: readonly SearchRow[];
  readonly truncated: boolean;
}

const NOTHING: Included = { rows: [], truncated: false };

/**
 * Follows `_include` and `_revinclude` from the matches of a page; with `:iterate` also from what was included,
 * until nothing new is found. Every resource comes once, and no match comes again.
 */
export async function collectIncludes(task: IncludeTask, matches: readonly SearchRow[]): Promise<Included> {
  if (task.includes.length === 0) return NOTHING;
  const seen = new Set(matches.map((row) => row.rowId));
  const found: SearchRow[] = [];
  let from = matches;
  let includes = task.includes;
  while (from.length > 0 && includes.length > 0) {
    const added: SearchRow[] = [];
    for (const include of includes) {
      const linked = await follow(task, include, from);
      for (const row of [...linked, ...(await followCanonical(task, include, from))]) {
        if (seen.has(row.rowId)) continue;
        if (found.length + added.length === task.limit)
          return { rows: [...found, ...added], truncated: true };
        seen.add(row.rowId);
        added.push(row);
      }
    }
    found.push(...added);
    from = added;
    includes = task.includes.filter((include) => include.iterate);
  }
  return { rows: found, truncated: false };
}

/** The limit counts what is new; what is known already may come back besides. */
async function follow(
  task: IncludeTask,
  include: Include,
  from: readonly SearchRow[],
): Promise<readonly SearchRow[]> {
  const { direction, sourceType, parameter } = include;
  const filter = parameter?.targetFilter ?? null;
  const targetType = include.targetType ?? filter;
  if (filter !== null && targetType !== filter) return [];
  const starts = direction === 'include' ? sourceType : targetType;
  const rowIds = from.filter((row) => starts === null || row.type === starts).map((row) => row.rowId);
  return task.store.linked(task.scope, {
    direction,
    sourceType,
    paths: parameter?.paths ?? null,
    targetType,
    from: rowIds,
    limit: task.limit + from.length + 1,
  });
}
