import type { Knex } from 'knex';
import type { SortDirection } from '../search-store.js';
import { INDEX_TABLES, INDEXED_BY_RESOURCE, type OpenRows, type RowSql } from './search-rows.js';
import type { SortShape } from './search-shape.js';
import { isEmpty, toMarkers, type Slot } from './slots.js';
import { ORDERS } from './standing-order.js';

type Query = Knex.QueryBuilder;
type IndexSort = Extract<SortShape, { by: 'index' }>;

/** One column of a total order. Empty ones come last in both directions. */
export interface OrderColumn {
  readonly column: string;
  readonly direction: SortDirection;
  readonly nullable: boolean;
}

/** Where a page begins: the slot of each order column's value, null where the value is. */
export type After = readonly (Slot | null)[];

const CODE = "nullif(@.SP_VALUE, '')";
const TARGET = 'nullif(@.TARGET_RES_ID, 0)';

/**
 * What a resource is sorted by: the least (ascending) or greatest (descending) value of its rows, of alias `@`.
 * An element without a code and a reference that leads nowhere here count as no value.
 */
const SORT_VALUES = {
  token: [CODE, CODE],
  string: ['@.SP_NORM', '@.SP_NORM'],
  date: ['@.SP_LOW', '@.SP_HIGH'],
  number: ['@.SP_VALUE', '@.SP_VALUE'],
  quantity: ['@.SP_VALUE', '@.SP_VALUE'],
  uri: ['@.SP_VALUE', '@.SP_VALUE'],
  reference: [TARGET, TARGET],
} as const satisfies Record<IndexSort['index'], readonly [string, string]>;

/** Orders the query, and begins it behind `after`. */
export function orderBy(query: Query, columns: readonly OrderColumn[], after: After | null): void {
  for (const { column, direction, nullable } of columns) {
    query.orderByRaw(
      `${column} ${direction === 'ascending' ? 'asc' : 'desc'}${nullable ? ' nulls last' : ''}`,
    );
  }
  if (after !== null) beginAfter(query, columns, after);
}

/** Begins the query behind `after`, in the order of the columns. */
export function beginAfter(query: Query, columns: readonly OrderColumn[], after: After): void {
  const [first] = columns;
  if (first && columns.every((one) => !one.nullable && one.direction === first.direction)) {
    const slots = after.filter((slot) => slot !== null);
    const names = columns.map((one) => one.column).join(', ');
    const places = slots.map(() => '?').join(', ');
    // A row value is one range on the index; a single column needs no brackets.
    const [left, right] = columns.length === 1 ? [names, places] : [`(${names})`, `(${places})`];
    query.whereRaw(`${left} ${comes(first)} ${right}`, toMarkers(slots));
    return;
  }
  query.where((either) => {
    columns.forEach((_, index) => either.orWhere((one) => beyond(one, columns.slice(0, index + 1), after)));
  });
}

/** Equal in all columns but the last, and beyond in that one. */
function beyond(query: Query, columns: readonly OrderColumn[], after: After): void {
  columns.forEach((order, index) => {
    const slot = after[index] ?? null;
    const isLast = index === columns.length - 1;
    if (slot === null) query.whereRaw(isLast ? '1 = 0' : `${order.column} is null`);
    else if (!isLast) query.whereRaw(`${order.column} = ?`, toMarkers([slot]));
    else if (order.nullable)
      query.whereRaw(`(${order.column} ${comes(order)} ? or ${order.column} is null)`, toMarkers([slot]));
    else query.whereRaw(`${order.column} ${comes(order)} ?`, toMarkers([slot]));
  });
}

function comes(order: OrderColumn): string {
  return order.direction === 'ascending' ? '>' : '<';
}

/** Adds the value that resources of alias `m` are sorted by to the query, as a column of the given name. */
export function selectSortValue(query: Query, sort: SortShape, name: string, sql: RowSql): void {
  if (sort.by === 'relevance') throw new Error('Relevance is worked out for all matches at once.');
  if (sort.by === 'index') selectIndexValue(query, sort, name, sql);
  else {
    const alias = sql.alias('r');
    const [column] = ORDERS[sort.by];
    const own = sql.tables.open('HFJ_RESOURCE', alias).whereRaw(`${alias}.RES_ID = m.RES_ID`);
    query.select(own.select(`${alias}.${column}`).as(name));
  }
}

function selectIndexValue(query: Query, sort: IndexSort, name: string, sql: RowSql): void {
  const { knex } = sql.dialect;
  if (isEmpty(sort.params)) {
    query.select(knex.raw(`null as ${name}`));
    return;
  }
  const rows = sql.paths(INDEX_TABLES[sort.index], sort.params);
  for (const filter of sort.filters) holdTarget(rows, filter, sql);
  const [least, greatest] = SORT_VALUES[sort.index];
  const picked = sort.direction === 'ascending' ? `min(${least})` : `max(${greatest})`;
  const value = picked.replaceAll('@', rows.alias);
  if (INDEXED_BY_RESOURCE.has(sort.index)) {
    query.select(rows.query.whereRaw(`${rows.alias}.RES_ID = m.RES_ID`).select(knex.raw(value)).as(name));
    return;
  }
  const values = sql.alias('v');
  rows.query.select(`${rows.alias}.RES_ID`, knex.raw(`${value} as V`)).groupBy(`${rows.alias}.RES_ID`);
  query
    .leftJoin(rows.query.as(values), `${values}.RES_ID`, 'm.RES_ID')
    .select(knex.raw(`${values}.V as ${name}`));
}

/** References on the paths lead to a resource of the type. */
function holdTarget(
  { query, alias }: OpenRows,
  { params, type }: IndexSort['filters'][number],
  sql: RowSql,
): void {
  query.where((either) => {
    if (params !== null) either.whereNot((own) => sql.holdOne(own, `${alias}.PARAM_ID`, params));
    either.orWhereRaw(`${alias}.TARGET_TYPE_ID = ?`, toMarkers([type]));
  });
}
