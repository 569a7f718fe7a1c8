import type { Knex } from 'knex';
import { ConditionSql, type Subject } from './search-conditions.js';
import type { Driver } from './search-driver.js';
import { orderBy, type After, type OrderColumn } from './search-order.js';
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

/** Several codes may be in any number of systems each, and every one of these is a walk. */
export function areSeeks(walks: readonly Walk[]): boolean {
  return walks.length === 1 || walks.every(({ test }) => test.reach === 'key');
}

/** The index rows of a walk, one for each resource. */
export function openWalk(sql: RowSql, walk: Walk): OpenRows {
  const { shape, test } = walk;
  const opened = sql.rows(shape, test);
  const { openSystem } = test;
  if (openSystem === undefined) return opened;
  const systems = sql.systemsOf(shape, openSystem);
  const { query, alias } = sql.rows(shape, test);
  query
    .whereIn(`${alias}.SYS_ID`, systems)
    .whereRaw(`${alias}.SYS_ID < ${opened.alias}.SYS_ID and ${alias}.RES_ID = ${opened.alias}.RES_ID`)
    .select(sql.dialect.knex.raw('1'));
  // A resource that has the code in several systems counts at the first one. Most codes have one system only:
  // then the rows of the first are all, and nothing else is looked at.
  opened.query.where((once) => {
    once
      .where(sql.dialect.knex.raw(`${opened.alias}.SYS_ID`), '=', sql.firstSystemOf(shape, openSystem))
      .orWhereNotExists(sql.dialect.tried(query));
  });
  return opened;
}

/** RES_ID of everything along a walk. */
export function walkedIds(sql: RowSql, walk: Walk): Query {
  const { query, alias } = openWalk(sql, walk);
  holdRest(sql, query, walk.driver, subjectOf(alias));
  return query.select(`${alias}.RES_ID`);
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
  const parts = walks.map((walk) => {
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
  return new ConditionSql(sql).union(parts);
}

/** A walk along one key, up to the limit. */
function firstAlong(sql: RowSql, { shape, test, driver }: Walk, { after, limit }: WalkedPart): OpenRows {
  const opened = sql.rows(shape, test);
  holdRest(sql, opened.query, driver, subjectOf(opened.alias));
  orderBy(opened.query, [byRowId(opened.alias)], after);
  opened.query.limit(...(toMarkers([limit]) as [number]));
  return opened;
}

/** A code in any system is one walk along each system that has it. */
function eachSystem(sql: RowSql, walk: Walk, part: WalkedPart & { readonly open: Slot }): Query {
  const { knex, seeks } = sql.dialect;
  const name = sql.alias('y');
  const query = knex.queryBuilder().from(sql.systemsOf(walk.shape, part.open).as(name));
  const first = firstAlong(sql, walk, part);
  first.query.whereRaw(`${first.alias}.SYS_ID = ${name}.N`).select(`${first.alias}.RES_ID`);
  if (seeks === 'lateral') {
    const ids = sql.alias('w');
    return query.crossJoin(knex.raw(`lateral ? as ${ids}`, [first.query])).select(`${ids}.RES_ID`);
  }
  const r = sql.alias('r');
  sql.tables.joinByRowId(query, 'HFJ_RESOURCE', r).whereIn(`${r}.RES_ID`, first.query);
  return query.select(`${r}.RES_ID`);
}

/** Adds what remains of a driver's condition to a query that walks it. */
export function holdRest(sql: RowSql, query: Query, { rest }: Driver, subject: Subject): void {
  const conditions = new ConditionSql(sql);
  for (const part of rest) conditions.hold(query, part, subject);
}

/** The resource of an index row. */
export function subjectOf(alias: string): Subject {
  return { id: `${alias}.RES_ID`, partition: `${alias}.PARTITION_ID` };
}

/** The order of rows along a key. */
export function byRowId(alias: string): OrderColumn {
  return { column: `${alias}.RES_ID`, direction: 'ascending', nullable: false };
}
