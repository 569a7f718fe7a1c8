import type { Knex } from 'knex';
import type { IndexKind } from '../search-store.js';
import { orderBy, type After, type OrderColumn } from './search-order.js';
import { INDEX_TABLES, INDEXED_BY_RESOURCE, type OpenRows, type RowSql } from './search-rows.js';
import type { PlanShape, SortShape } from './search-shape.js';
import { byRowId } from './search-walk.js';
import { isSingle, toMarkers, type Slot } from './slots.js';

type Query = Knex.QueryBuilder;
type IndexSort = Extract<SortShape, { by: 'index' }>;

/** A page of a whole type, of which no more is looked at than it takes. */
export interface OrderedPage {
  readonly after: After | null;
  readonly limit: Slot;
  /** How many rows of an index are walked where a resource may have several of them. */
  readonly reach: Slot;
}

/** A walk along the index of what a type is put in order by first. */
export interface OrderedWalk {
  readonly sort: IndexSort;
  /** The order has further keys. */
  readonly several: boolean;
  readonly page: OrderedPage;
}

/** Where the index rows have their place in an order, ascending and descending. */
const PLACES = {
  token: ['SP_VALUE', 'SP_VALUE'],
  string: ['SP_NORM', 'SP_NORM'],
  date: ['SP_LOW', 'SP_HIGH'],
  number: ['SP_VALUE', 'SP_VALUE'],
  quantity: ['SP_VALUE', 'SP_VALUE'],
  uri: ['SP_VALUE', 'SP_VALUE'],
  reference: ['TARGET_RES_ID', 'TARGET_RES_ID'],
} as const satisfies Record<Exclude<IndexKind, 'text'>, readonly [string, string]>;

/** Holds for every row. Only who asks for it is led along the index of ends, see the migration of that index. */
const ALONG_ENDS = '@.RES_ID > 0';

/** Rows that count as no value. */
const EMPTY: Partial<Record<IndexKind, string>> = {
  token: "@.SP_VALUE > ''",
  reference: '@.TARGET_RES_ID > 0',
};

/**
 * The walk of a page of all resources of a type; null where no index has its order, and for pages that begin where
 * values end. A page that it does not fill is to be asked for in another way: what has no value comes last.
 */
export function orderedWalk(plan: PlanShape, page: OrderedPage): OrderedWalk | null {
  const { where, sort, several, contained } = plan;
  const [first] = sort;
  const isWhole = where.kind === 'all' && where.of.length === 0;
  if (!isWhole || several || contained !== null || first?.by !== 'index') return null;
  if (!isSingle(first.params) || first.filters.length > 0) return null;
  const begins = page.after === null || (page.after[0] !== null && INDEXED_BY_RESOURCE.has(first.index));
  return begins ? { sort: first, several: sort.length > 1, page } : null;
}

/** RES_ID and the first key, as K0, of those resources that are on the page and of some more. */
export function orderedIds(sql: RowSql, walk: OrderedWalk): Query {
  return walk.several ? upToEdge(sql, walk) : alongIndex(sql, walk);
}

function alongIndex(sql: RowSql, walk: OrderedWalk): Query {
  const { query, alias, key } = openRows(sql, walk);
  orderBy(query, [key, { ...byRowId(alias), direction: key.direction }], walk.page.after);
  query.select(`${alias}.RES_ID`, sql.dialect.knex.raw(`${key.column} as V`));
  query.limit(...(toMarkers([walk.page.reach]) as [number]));
  const name = sql.alias('w');
  const rows = sql.dialect.knex.queryBuilder().from(query.as(name));
  return eachOnce(sql, { query: rows, alias: name, key: { ...key, column: `${name}.V` } });
}

/** Everything up to the key at which there is enough: what has one and the same is put in order by further keys. */
function upToEdge(sql: RowSql, walk: OrderedWalk): Query {
  const { knex } = sql.dialect;
  const rows = openRows(sql, walk);
  const ends = openRows(sql, walk);
  const [back, on] = rows.key.direction === 'ascending' ? ['<=', '>'] : ['>=', '<'];
  const begin = toMarkers((walk.page.after ?? []).slice(0, 1).filter((slot) => slot !== null));
  if (begin.length > 0) {
    rows.query.whereRaw(`${rows.key.column} ${on}= ?`, begin);
    ends.query.whereRaw(`${ends.key.column} ${on} ?`, begin);
  }
  orderBy(ends.query, [ends.key], null);
  ends.query.select(knex.raw(`${ends.key.column} as V`));
  ends.query.limit(...(toMarkers([walk.page.reach]) as [number]));
  const name = sql.alias('w');
  const edge = knex.queryBuilder().from(ends.query.as(name));
  edge.select(knex.raw(`${furthest(rows.key)}(${name}.V)`));
  rows.query.whereRaw(`${rows.key.column} ${back} ?`, [edge]);
  return eachOnce(sql, rows);
}

/** Rows of the path in an order's place. */
interface OrderedRows extends OpenRows {
  readonly key: OrderColumn;
}

/** Where a resource's own rows are a seek away, only the first of them in the order. */
function openRows(sql: RowSql, { sort: { index, params, direction } }: OrderedWalk): OrderedRows {
  const place = PLACES[index][direction === 'ascending' ? 0 : 1];
  const { query, alias } = sql.paths(INDEX_TABLES[index], params);
  if (place === 'SP_HIGH') query.whereRaw(ALONG_ENDS.replace('@', alias));
  const empty = EMPTY[index];
  if (empty !== undefined) query.whereRaw(empty.replace('@', alias));
  if (INDEXED_BY_RESOURCE.has(index)) {
    const own = sql.paths(INDEX_TABLES[index], params);
    const earlier = direction === 'ascending' ? '<' : '>';
    own.query
      .whereRaw(
        `${own.alias}.RES_ID = ${alias}.RES_ID and ${own.alias}.${place} ${earlier} ${alias}.${place}`,
      )
      .select(sql.dialect.knex.raw('1'));
    if (empty !== undefined) own.query.whereRaw(empty.replace('@', own.alias));
    query.whereNotExists(sql.dialect.tried(own.query));
  }
  return {
    query,
    alias,
    key: { column: `${alias}.${place}`, direction, nullable: false },
  };
}

function eachOnce(sql: RowSql, { query, alias, key }: OrderedRows): Query {
  const value = `${nearest(key)}(${key.column}) as K0`;
  return query
    .clearSelect()
    .select(`${alias}.RES_ID`, sql.dialect.knex.raw(value))
    .groupBy(`${alias}.RES_ID`);
}

function nearest({ direction }: OrderColumn): string {
  return direction === 'ascending' ? 'min' : 'max';
}

function furthest({ direction }: OrderColumn): string {
  return direction === 'ascending' ? 'max' : 'min';
}
