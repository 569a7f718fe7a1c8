import type { Knex } from 'knex';
import { keyColumns, rowColumns, typesOf } from './search-columns.js';
import { ConditionSql } from './search-conditions.js';
import { orderBy, type OrderColumn } from './search-order.js';
import type { PageSlots } from './search-page.js';
import type { WrittenQuery } from './search-query.js';
import type { RowSql } from './search-rows.js';
import type { PlanShape } from './search-shape.js';
import { toMarkers } from './slots.js';

/** Each match once: RES_ID, and PART, which is 0 for the resource and counts what it contains from 1 on. */
export function containedMatches(sql: RowSql, { where, types, contained }: PlanShape): Knex.QueryBuilder {
  const { knex } = sql.dialect;
  const conditions = new ConditionSql(sql);
  const found = contained?.kind === 'contained' ? conditions.contained.sought(contained) : [];
  const parts = found.map(({ query, alias, number }) =>
    query.distinct(`${alias}.RES_ID`, knex.raw(`-${number} as PART`)),
  );
  const own = knex.queryBuilder().from(conditions.matching({ where, types }, 'rows').as('m'));
  const queries = where.kind === 'none' ? parts : [...parts, own.select('m.RES_ID', knex.raw('0 as PART'))];
  return conditions.union(queries);
}

/** Containers, each once for every contained resource of it that matches, in the order of `contained`. */
export function writeContainedPage(sql: RowSql, plan: PlanShape, page: PageSlots): WrittenQuery {
  const { knex } = sql.dialect;
  const ids = knex.queryBuilder().from(containedMatches(sql, plan).as('o')).select('o.*');
  orderBy(ids, partOrder('o'), page.after);
  ids.limit(...(toMarkers([page.limit]) as [number]));
  const query = knex.queryBuilder().from(ids.as('k'));
  sql.tables.join(query, 'HFJ_RESOURCE', 'r').whereRaw('r.RES_ID = k.RES_ID');
  orderBy(query, partOrder('k'), null);
  query.select([...rowColumns('r', sql, typesOf(plan)), ...keyColumns(partOrder('k'))]);
  return { query, cost: 'expensive', plan: 'custom' };
}

function partOrder(alias: string): readonly OrderColumn[] {
  return ['RES_ID', 'PART'].map((name) => ({
    column: `${alias}.${name}`,
    direction: 'ascending',
    nullable: false,
  }));
}
