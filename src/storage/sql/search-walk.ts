import type { Knex } from 'knex';
import { ConditionSql, type Subject } from './search-conditions.js';
import type { Driver } from './search-driver.js';
import { beginAfter, orderBy, type After, type OrderColumn } from './search-order.js';
import type { OpenRows, RowSql } from './search-rows.js';
import type { RowsShape } from './search-shape.js';
import { isSingle, toMarkers, type Slot } from './slots.js';

type Query = Knex.QueryBuilder;

/** A driver that is one walk along one key. */
export interface Walk {
  readonly shape: RowsShape;
  readonly test: NonNullable<RowsShape['tests']>[number];
  readonly driver: Driver;
}

/** More alternatives than these are collected before they are sorted. */
const MOST_WALKS = 16;

/** The walks of a driver, one for each alternative; none where it is more than that. */
export function walksOf(driver: Driver | null): readonly Walk[] {
  if (driver?.shape.kind !== 'rows') return [];
  const { shape } = driver;
  const { tests } = shape;
  if (tests === null || !isSingle(shape.params) || tests.length > MOST_WALKS) return [];
  if (!tests.every(({ reach }) => reach === 'key' || reach === 'system')) return [];
  return tests.map((test) => ({ shape, test, driver }));
}

/** Whether every walk is one seek. A code may be in any number of systems, and every one of these is a walk. */
export function areSeeks(walks: readonly Walk[]): boolean {
  return walks.every(({ test }) => test.reach === 'key');
}

/** Whether a walk is one for each system that its code occurs in: it has no order of its own. */
export function isOpen({ test }: Walk): boolean {
  return test.openSystem !== undefined;
}

/** Everything along a walk that is one seek. So many rows of a range are collected first. */
export function walked(sql: RowSql, { shape, test, driver }: Walk, collected?: Slot): OpenRows {
  const opened = sql.rows(shape, test);
  const conditions = new ConditionSql(sql);
  const subject = { ...subjectOf(opened.alias), among: shape };
  for (const part of driver.rest) conditions.holdForMany(opened.query, part, subject, collected);
  return opened;
}

/** What a page, or a count, needs of walks that are put together. */
export interface WalkedPart {
  readonly after: After | null;
  readonly limit: Slot;
}

/**
 * RES_ID of what is along any of several walks, each once: of each walk as many as are asked for in all, so that no more
 * is looked at where there is more.
 */
export function mergedIds(sql: RowSql, walks: readonly Walk[], part: WalkedPart): Query {
  const { knex } = sql.dialect;
  const parts = walks.map((walk): Query => {
    const open = walk.test.openSystem;
    if (open !== undefined) return eachSystem(sql, walk, { ...part, open });
    const { query, alias } = firstAlong(sql, walk, part);
    // A union takes orders and limits in brackets only, and SQLite no brackets.
    const name = sql.alias('w');
    return knex
      .queryBuilder()
      .from(query.select(`${alias}.RES_ID`).as(name))
      .select(`${name}.RES_ID`);
  });
  const [first, ...others] = parts;
  // A resource may have one code in several systems.
  return first && others.length === 0 ? first.distinct() : new ConditionSql(sql).union(parts);
}

/** A walk along one key, up to the limit. */
function firstAlong(sql: RowSql, { shape, test, driver }: Walk, { after, limit }: WalkedPart): OpenRows {
  const opened = sql.rows(shape, test);
  holdRest(sql, opened.query, driver, subjectOf(opened.alias));
  orderBy(opened.query, [byRowId(opened.alias)], after);
  opened.query.limit(...(toMarkers([limit]) as [number]));
  return opened;
}

interface OpenPart extends WalkedPart {
  readonly open: Slot;
}

/** Row ids are smaller; what comes up to here comes without a bound. */
const LAST_ROW_ID = Number.MAX_SAFE_INTEGER;

/**
 * A code in any system is one walk along each system that has it. Where the first resource of a system comes behind
 * as many others as are asked for, the system is not walked: it costs the seeks that find it and its first.
 */
function eachSystem(sql: RowSql, walk: Walk, part: OpenPart): Query {
  const { knex, seeks } = sql.dialect;
  const [y, b, ids] = [sql.alias('y'), sql.alias('b'), sql.alias('w')];
  const query = knex.queryBuilder().withMaterialized(y, firstOfSystems(sql, walk, part));
  query.withMaterialized(b, lastOfPart(sql, y, part)).from(b);
  query.crossJoin(knex.raw(y)).whereRaw(`${y}.F <= ${b}.LAST`);
  const along = firstAlong(sql, walk, { ...part, after: null });
  along.query.whereRaw(
    `${along.alias}.SYS_ID = ${y}.N and ${along.alias}.RES_ID between ${y}.F and ${b}.LAST`,
  );
  along.query.select(`${along.alias}.RES_ID`);
  if (seeks === 'lateral') {
    const rows = sql.alias('l');
    query.crossJoin(knex.raw(`lateral ? as ${rows}`, [along.query])).select(`${rows}.RES_ID`);
  } else {
    const r = sql.alias('r');
    sql.tables.joinByRowId(query, 'HFJ_RESOURCE', r).whereIn(`${r}.RES_ID`, along.query);
    query.select(`${r}.RES_ID`);
  }
  return knex.queryBuilder().from(query.as(ids)).select(`${ids}.RES_ID`);
}

/** Systems as N, and the first resource of each as F. */
function firstOfSystems(sql: RowSql, { shape, test, driver }: Walk, { open, after }: OpenPart): Query {
  const { knex } = sql.dialect;
  const name = sql.alias('s');
  const { query, alias } = sql.rows(shape, test);
  holdRest(sql, query, driver, subjectOf(alias));
  if (after !== null) beginAfter(query, [byRowId(alias)], after);
  query.whereRaw(`${alias}.SYS_ID = ${name}.N`).select(knex.raw(`min(${alias}.RES_ID)`));
  const systems = knex.queryBuilder().from(sql.systemsOf(shape, open).as(name));
  return systems.select(`${name}.N`, query.as('F'));
}

/** The last resource that can be among those that are asked for: up to it, as many others are the first of a system. */
function lastOfPart(sql: RowSql, systems: string, { limit }: OpenPart): Query {
  const { knex } = sql.dialect;
  const name = sql.alias('f');
  const firsts = knex.queryBuilder().distinct('F').from(systems).whereNotNull('F').orderBy('F');
  firsts.limit(...(toMarkers([limit]) as [number]));
  const last = `case when count(*) < ? then ${LAST_ROW_ID} else max(${name}.F) end as LAST`;
  return knex
    .queryBuilder()
    .from(firsts.as(name))
    .select(knex.raw(last, toMarkers([limit])));
}

/** Adds what remains of a driver's condition to a query that walks it. */
export function holdRest(sql: RowSql, query: Query, { shape, rest }: Driver, subject: Subject): void {
  const conditions = new ConditionSql(sql);
  for (const part of rest) conditions.hold(query, part, { ...subject, among: shape });
}

/** The resource of an index row. */
export function subjectOf(alias: string): Subject {
  return { id: `${alias}.RES_ID`, partition: `${alias}.PARTITION_ID` };
}

/** The order of rows along a key. */
export function byRowId(alias: string): OrderColumn {
  return { column: `${alias}.RES_ID`, direction: 'ascending', nullable: false };
}
