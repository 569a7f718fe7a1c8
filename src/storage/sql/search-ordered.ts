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
  const begins = page.after === null || page.after[0] !== null;
  return begins ? { sort: first, several: sort.length > 1, page } : null;
}

/** RES_ID and the first key, as K0, of those resources that are on the page and of some more. */
export function orderedIds(sql: RowSql, walk: OrderedWalk): Query {
  const { knex } = sql.dialect;
  const { query, alias, key } = walk.several ? upToEdge(sql, walk) : alongIndex(sql, walk);
  query.select(`${alias}.RES_ID`, knex.raw(`${key.column} as V`));
  const name = sql.alias('w');
  const rows = knex.queryBuilder();
  const shown = shownBefore(sql, walk, name);
  if (shown === null) rows.from(query.as(name));
  else
    rows
      .withMaterialized(name, query)
      .from(name)
      .whereNot(isIn(sql, `${name}.RES_ID`, shown));
  const value = knex.raw(`${nearest(key)}(${name}.V) as K0`);
  return rows.select(`${name}.RES_ID`, value).groupBy(`${name}.RES_ID`);
}

function alongIndex(sql: RowSql, walk: OrderedWalk): OrderedRows {
  const rows = openRows(sql, walk);
  orderBy(rows.query, [rows.key, { ...byRowId(rows.alias), direction: rows.key.direction }], walk.page.after);
  rows.query.limit(...(toMarkers([walk.page.reach]) as [number]));
  return rows;
}

/** Everything up to the key at which there is enough: what has one and the same is put in order by further keys. */
function upToEdge(sql: RowSql, walk: OrderedWalk): OrderedRows {
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
  return rows;
}

/**
 * Those of the resources of a walk that came before the page, by another row: found by one walk along all that came,
 * as their own rows are no seek away. Null where none can have.
 */
function shownBefore(sql: RowSql, walk: OrderedWalk, found: string): Query | null {
  const { several, page, sort } = walk;
  const [value, id] = page.after ?? [];
  if (value === undefined || value === null || INDEXED_BY_RESOURCE.has(sort.index)) return null;
  const { query, alias, key } = openRows(sql, walk);
  const back = key.direction === 'ascending' ? '<' : '>';
  if (several || id === undefined || id === null)
    query.whereRaw(`${key.column} ${back} ?`, toMarkers([value]));
  else query.whereRaw(`(${key.column}, ${alias}.RES_ID) ${back}= (?, ?)`, toMarkers([value, id]));
  const candidates = sql.dialect.knex.queryBuilder().from(found).select('RES_ID');
  return query.where(isIn(sql, `${alias}.RES_ID`, candidates)).select(`${alias}.RES_ID`);
}

function isIn({ dialect: { knex, inList } }: RowSql, column: string, list: Query): Knex.Raw {
  return knex.raw(inList(column), [list]);
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

function nearest({ direction }: OrderColumn): string {
  return direction === 'ascending' ? 'min' : 'max';
}

function furthest({ direction }: OrderColumn): string {
  return direction === 'ascending' ? 'max' : 'min';
}
