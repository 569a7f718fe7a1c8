import type { Knex } from 'knex';
import type { SortDirection } from '../search-store.js';
import { UNKNOWN_SET } from './param-sets.js';
import { keyColumns, rowColumns, typesOf } from './search-columns.js';
import type { Columns, ConditionSql } from './search-conditions.js';
import { isById, partsOf, pickDriver } from './search-driver.js';
import { orderBy, type After, type OrderColumn } from './search-order.js';
import type { WrittenQuery } from './search-query.js';
import type { RowSql } from './search-rows.js';
import type { SetTest } from './search-sets.js';
import type { LackingShape, PlanShape, Shape, TypedShape } from './search-shape.js';
import { toMarkers, type Slot } from './slots.js';
import { ORDERS } from './standing-order.js';

type Query = Knex.QueryBuilder;

/** Conditions that sets of paths tell of, and what remains to be tested on each resource. */
export interface Lacking {
  readonly shapes: readonly LackingShape[];
  readonly rest: readonly Shape[];
}

/** What is asked, and where. */
interface LackingParts {
  readonly sql: RowSql;
  readonly conditions: ConditionSql;
}

/** Whether resources are best found by what they lack; null where another condition leaves fewer. */
export function pickLacking(where: Shape): Lacking | null {
  const parts = partsOf(where);
  if (parts.some(isById) || pickDriver(where) !== null) return null;
  const shapes = parts.filter((part) => part.kind === 'lacking');
  return shapes.length === 0 ? null : { shapes, rest: parts.filter((part) => part.kind !== 'lacking') };
}

/** The resources of the types that match, each once. */
export function lackingResources(
  { sql, conditions }: LackingParts,
  { types, lacking }: Pick<TypedShape, 'types'> & { readonly lacking: Lacking },
  columns: Columns,
): Query {
  const own = columns === 'ids' ? ['RES_ID'] : ['RES_ID', 'PARTITION_ID'];
  const [s, r, k] = [sql.alias('s'), sql.alias('r'), sql.alias('k')];
  const { knex, seeks, tried } = sql.dialect;
  const query = knex.queryBuilder().from(sets(sql, types, lacking).as(s));
  if (seeks === 'ordered') {
    sql.tables.join(query, 'HFJ_RESOURCE', r);
    holdLacking(conditions, query, { types, lacking, s, r });
    return query.select(own.map((name) => `${r}.${name}`));
  }
  const found = sql.tables.open('HFJ_RESOURCE', r).select(own.map((name) => `${r}.${name}`));
  holdLacking(conditions, found, { types, lacking, s, r });
  return query
    .crossJoin(knex.raw(`lateral ? as ${k}`, [tried(found)]))
    .select(own.map((name) => `${k}.${name}`));
}

/** What a page of resources of one type in the order of their ids is made of. */
export interface LackingPage {
  readonly plan: PlanShape;
  readonly lacking: Lacking;
  readonly direction: SortDirection;
}

/** As many of each set as a page has, the first of all these, and their texts last. */
export function writeLackingPage(
  { sql, conditions }: LackingParts,
  { plan, lacking, direction }: LackingPage,
  page: { readonly after: After | null; readonly limit: Slot },
): WrittenQuery {
  const { knex, seeks } = sql.dialect;
  const [s, x, k, r] = [sql.alias('s'), sql.alias('x'), sql.alias('k'), sql.alias('r')];
  const orderOf = (alias: string): OrderColumn[] =>
    ORDERS.id.map((name) => ({ column: `${alias}.${name}`, direction, nullable: false }));
  const limit = toMarkers([page.limit]) as [number];
  const first = sql.tables.open('HFJ_RESOURCE', x).select(`${x}.RES_ID`);
  holdLacking(conditions, first, { types: plan.types, lacking, s, r: x });
  orderBy(first, orderOf(x), page.after);
  first.limit(...limit);
  const ids = knex.queryBuilder().from(sets(sql, plan.types, lacking).as(s));
  if (seeks === 'lateral') ids.crossJoin(knex.raw(`lateral ? as ${k}`, [first.select(`${x}.FHIR_ID`)]));
  else sql.tables.joinByRowId(ids, 'HFJ_RESOURCE', k).whereIn(`${k}.RES_ID`, first);
  ids.select(`${k}.RES_ID`);
  orderBy(ids, orderOf(k), null);
  ids.limit(...limit);
  const o = sql.alias('o');
  const query = knex.queryBuilder().from(ids.as(o));
  sql.tables.join(query, 'HFJ_RESOURCE', r).whereRaw(`${r}.RES_ID = ${o}.RES_ID`);
  query.select([...rowColumns(r, sql, typesOf(plan)), ...keyColumns(orderOf(r))]);
  orderBy(query, orderOf(r), null);
  return { query, cost: 'expensive', plan: 'custom' };
}

/**
 * ID and MAY of the sets of resources that may match, each once. MAY is 0 where all of them lack what is to be lacked. Of
 * what has no set, and of two sets with one id that tell different things, each resource has to be looked at.
 */
function sets(sql: RowSql, types: TypedShape['types'], { shapes }: Lacking): Query {
  const { knex } = sql.dialect;
  const alias = sql.alias('p');
  const known = sql.tables.open('HFJ_RES_PARAMS', alias);
  sql.holdOne(known, `${alias}.RES_TYPE_ID`, types);
  const one = (test: 'may' | 'has', column: string): Knex.Raw => {
    const tests = shapes.map((shape): SetTest => shape[test]);
    const text = tests.map(({ sql: part }) => part.replaceAll('@', alias)).join(' or ');
    return knex.raw(
      `case when ${text} then 1 else 0 end as ${column}`,
      toMarkers(tests.flatMap(({ slots }) => slots)),
    );
  };
  known.select(`${alias}.RES_PARAMS_ID as ID`, one('may', 'MAY'), one('has', 'HAS'));
  const c = sql.alias('c');
  const judged = knex
    .queryBuilder()
    .from(known.as(c))
    .select(`${c}.ID`, knex.raw(`max(${c}.MAY) as MAY`))
    .groupBy(`${c}.ID`)
    .havingRaw(`min(${c}.HAS) = 0`);
  const u = sql.alias('u');
  const unknown = knex.queryBuilder().from(knex.raw(`(select ${UNKNOWN_SET} as ID, 1 as MAY) as ${u}`));
  return unknown.select(`${u}.ID`, `${u}.MAY`).unionAll([judged]);
}

interface LackingAliases extends Pick<TypedShape, 'types'> {
  readonly lacking: Lacking;
  /** Of the sets. */
  readonly s: string;
  /** Of HFJ_RESOURCE. */
  readonly r: string;
}

/** Live resources with the set, which are looked at one by one where it does not tell enough. */
function holdLacking(
  conditions: ConditionSql,
  query: Query,
  { types, lacking: { shapes, rest }, s, r }: LackingAliases,
): void {
  query.whereRaw(`${r}.RES_PARAMS_ID = ${s}.ID`);
  conditions.holdLive(query, { types, where: { kind: 'all', of: rest } }, r);
  const subject = { id: `${r}.RES_ID`, partition: `${r}.PARTITION_ID`, resource: r };
  query.where((either) => {
    either.whereRaw(`${s}.MAY = 0`).orWhere((each) => {
      for (const shape of shapes) conditions.hold(each, shape, subject);
    });
  });
}
