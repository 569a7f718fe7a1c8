import type { Condition, SearchPlan, SearchWindow } from '../../../../src/storage/search-store.js';
import { postgresSearchDialect } from '../../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../../src/storage/sql/search-query.js';
import type { SqlStatement } from '../../../../src/storage/sql/sql-reader.js';
import * as c from '../conditions.js';
import { scopeOf } from '../fixtures.js';
import { SKEWED_NAMES } from './skewed-data.js';

export const TYPE = 'Observation';
const queries = new SearchQueries(SKEWED_NAMES, postgresSearchDialect());

/** What is asked of a partition of the skewed data. */
export type Ask = (partition: number) => SqlStatement | null;

export function page(plan: SearchPlan, window: SearchWindow = { count: 50 }): Ask {
  return (partition) =>
    queries.page({ scope: scopeOf(partition), systemIds: SKEWED_NAMES.systemId }, plan, window);
}

/** A page of a whole type, in the order of a walk. */
export function ordered(plan: SearchPlan, window: SearchWindow = { count: 20 }): Ask {
  return (partition) =>
    queries.orderedPage({ scope: scopeOf(partition), systemIds: SKEWED_NAMES.systemId }, plan, window);
}

export function linked(
  direction: 'include' | 'revinclude',
  paths: readonly string[] | null,
  from: readonly number[],
): Ask {
  const query = { direction, sourceType: TYPE, paths, targetType: null, from, limit: 100 };
  return (partition) => queries.linked(scopeOf(partition), query);
}

export function count(where: Condition, limit?: number): Ask {
  return (partition) => {
    const search = { scope: scopeOf(partition), systemIds: SKEWED_NAMES.systemId };
    return queries.count(search, c.plan(TYPE, where), limit);
  };
}
