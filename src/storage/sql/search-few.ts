import type { Knex } from 'knex';
import type { DrivingShape } from './search-driver.js';
import type { RowSql } from './search-rows.js';
import type { RowsShape } from './search-shape.js';
import { type Slot, type SlotList, toMarkers } from './slots.js';

type Query = Knex.QueryBuilder;

/** From so many resources on it is quicker to collect all that links lead to than to try the links of each. */
export const MANY = 51;

/** Links on one of the paths. */
export interface LinkedShape {
  readonly params: SlotList;
  /** The slot of MANY. */
  readonly many: Slot;
}

/** Condition, the same for the whole statement: a walk has fewer rows. Undefined where counting may be long. */
export function hasFewer(sql: RowSql, driving: DrivingShape, many: Slot): Knex.Raw | undefined {
  const rows = countable(driving, 'key', 'range');
  if (rows === undefined) return undefined;
  const { knex } = sql.dialect;
  return knex.raw('? < ?', [counted(sql, limitedRows(sql, rows, many)), ...toMarkers([many])]);
}

/** A range of texts; in other kinds of index a range is tested row by row, so that counting a few may be a long walk. */
export function countable(
  shape: DrivingShape,
  ...reaches: readonly ('key' | 'range')[]
): RowsShape | undefined {
  if (shape.kind !== 'rows') return undefined;
  const [test, ...others] = shape.tests ?? [];
  if (test === undefined || others.length > 0) return undefined;
  if (test.reach === 'range' && shape.index !== 'string') return undefined;
  return reaches.some((reach) => reach === test.reach) ? shape : undefined;
}

/** RES_ID of the first rows of the walk. */
export function limitedRows(sql: RowSql, shape: RowsShape, limit: Slot): Query {
  const { query, alias } = sql.rows(shape, shape.tests?.[0] ?? null);
  return query.select(`${alias}.RES_ID`).limit(...(toMarkers([limit]) as [number]));
}

/** How many rows a query has. */
export function counted(sql: RowSql, rows: Query): Query {
  const { knex } = sql.dialect;
  return knex
    .queryBuilder()
    .from(rows.as(sql.alias('n')))
    .select(knex.raw('count(*)'));
}
