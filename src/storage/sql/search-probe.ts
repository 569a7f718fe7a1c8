import type { Knex } from 'knex';
import type { Driver } from './search-driver.js';
import type { RowSql } from './search-rows.js';
import { toMarkers, type Slot } from './slots.js';

/**
 * Counts the rows of one range of texts, up to a limit, where a search looks at these rows alone; see SqlProbe. In
 * other kinds of index a range is tested row by row, so that counting a few may be a long walk.
 */
export function rangeProbe(
  sql: RowSql,
  driver: Driver | null,
  limit: Slot | undefined,
): Knex.QueryBuilder | undefined {
  if (limit === undefined || driver?.shape.kind !== 'rows' || driver.rest.length > 0) return undefined;
  const { shape } = driver;
  const [test, ...others] = shape.tests ?? [];
  if (shape.index !== 'string' || test?.reach !== 'range' || others.length > 0) return undefined;
  const { knex } = sql.dialect;
  const { query } = sql.rows(shape, test);
  query.select(knex.raw('1')).limit(...(toMarkers([limit]) as [number]));
  return knex.queryBuilder().from(query.as('n')).select(knex.raw('count(*)'));
}
