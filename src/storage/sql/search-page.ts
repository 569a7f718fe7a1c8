import type { Knex } from 'knex';
import type { SortDirection } from '../search-store.js';
import { keyColumns, rowColumns, typesOf } from './search-columns.js';
import { ConditionSql } from './search-conditions.js';
import { containedMatches, writeContainedPage } from './search-contained-page.js';
import { pickDriver, type Driver } from './search-driver.js';
import { pickLacking, writeLackingPage } from './search-lacking.js';
import { orderBy, selectSortValue, type After, type OrderColumn } from './search-order.js';
import { orderedIds, type OrderedWalk } from './search-ordered.js';
import type { WrittenQuery } from './search-query.js';
import type { RowSql } from './search-rows.js';
import { relevantMatches } from './search-relevance.js';
import type { PlanShape, SortShape } from './search-shape.js';
import { isFoundAlike, probeOf, systemProbe, walkProbe } from './search-probe.js';
import {
  areSeeks,
  byRowId,
  holdRest,
  isOpen,
  mergedIds,
  subjectOf,
  type Walk,
  walked,
  walksOf,
} from './search-walk.js';
import { ORDERS } from './standing-order.js';
import { toMarkers, type Slot } from './slots.js';

type Query = Knex.QueryBuilder;

/** How far matches are counted. */
export interface CountSlots {
  readonly limit: Slot;
  /** How many rows a probe looks at. */
  readonly probed?: Slot;
  /** How many rows of a range are collected, instead of looking for each resource's own. */
  readonly collected?: Slot;
}

/** Where a page begins and how long it is. */
export interface PageSlots extends CountSlots {
  readonly after: After | null;
}

/**
 * One page. Four forms: a walk along one index key that already has the order wanted; several of them, one for each
 * alternative; a walk along the resources of the type; or the keys of all matches first, their order, and the texts of
 * one page last.
 */
export function writePage(sql: RowSql, plan: PlanShape, page: PageSlots): WrittenQuery {
  if (plan.contained !== null) return writeContainedPage(sql, plan, page);
  const driver = pickDriver(plan.where);
  const isByAge = plan.sort.length === 0 && plan.standing === 'age';
  const walks = isByAge && !sql.tables.plural ? walksOf(driver) : [];
  const [walk] = walks;
  if (walk && walks.length === 1 && !isOpen(walk)) return writeIndexWalk(sql, { plan, walk }, page);
  if (walks.length > 0) return writeMergedWalks(sql, { plan, walks }, page);
  const order = driver === null && !sql.tables.plural ? resourceOrder(plan) : null;
  if (order !== null && 'json' in plan.types && isEachTypeWalked(sql, plan, order))
    return writeEachType(sql, { plan, types: plan.types.json, order }, page);
  const lacking = order?.by === 'id' ? pickLacking(plan.where) : null;
  if (order !== null && lacking !== null && !('json' in plan.types)) {
    const parts = { sql, conditions: new ConditionSql(sql) };
    return writeLackingPage(parts, { plan, lacking, direction: order.direction }, page);
  }
  if (order !== null) return writeResourceWalk(sql, plan, order, page);
  return writeSorted(sql, plan, page);
}

/** How many match, or how many up to a limit. */
export function writeCount(sql: RowSql, plan: PlanShape, up: CountSlots | null): WrittenQuery {
  const driver = pickDriver(plan.where);
  const walks = sql.tables.plural || plan.contained !== null ? [] : walksOf(driver);
  const [walk] = walks;
  const number = sql.dialect.knex.raw('count(*)');
  if (up === null && walk && isOneWalk(walks) && !isOpen(walk))
    return { query: walked(sql, walk).query.select(number), cost: 'expensive', plan: 'fixed' };
  const matches = walkedMatches(sql, walks, up) ?? allMatches(sql, plan);
  if (up !== null) matches.limit(...(toMarkers([up.limit]) as [number]));
  const query = sql.dialect.knex.queryBuilder().from(matches.as('c')).select(number);
  if (up !== null && isInAnySystem(walks))
    return { query, cost: 'expensive', plan: 'generic', probe: systemProbe(sql, walks, up.probed) };
  return up !== null && plan.contained === null && isQuick(plan, driver)
    ? { query, cost: 'cheap', plan: driver === null || driver.rest.length > 0 ? 'custom' : 'generic' }
    : { query, cost: 'expensive', plan: 'custom' };
}

/** RES_ID of everything that matches, each once and in order. */
export function writeRowIds(sql: RowSql, plan: PlanShape): WrittenQuery {
  const { knex } = sql.dialect;
  const query = knex.queryBuilder().from(new ConditionSql(sql).matching(plan, 'rows').as('m'));
  orderBy(query, [byRowId('m')], null);
  return { query: query.select('m.RES_ID'), cost: 'expensive', plan: 'custom' };
}

/** What is counted along walks; undefined where that is more than all matches once. */
function walkedMatches(sql: RowSql, walks: readonly Walk[], up: CountSlots | null): Query | undefined {
  const [walk] = walks;
  if (walk && walks.length === 1 && !isOpen(walk)) {
    const { query, alias } = walked(sql, walk, up?.collected);
    return query.select(`${alias}.RES_ID`);
  }
  return walks.length > 0 && up !== null ? mergedIds(sql, walks, { ...up, after: null }) : undefined;
}

/** What is counted: resources, and contained ones beside them. */
function allMatches(sql: RowSql, plan: PlanShape): Query {
  return plan.contained === null ? new ConditionSql(sql).matching(plan, 'rows') : containedMatches(sql, plan);
}

function writeIndexWalk(
  sql: RowSql,
  { plan, walk }: { readonly plan: PlanShape; readonly walk: Walk },
  page: PageSlots,
): WrittenQuery {
  const { shape, test, driver } = walk;
  const r = sql.alias('r');
  const { query, alias } = sql.rows(shape, test);
  sql.tables.join(query, 'HFJ_RESOURCE', r).whereRaw(`${r}.RES_ID = ${alias}.RES_ID`);
  holdRest(sql, query, driver, { ...subjectOf(alias), resource: r });
  finish(query, rowColumns(r, sql, typesOf(plan)), [byRowId(alias)], page);
  const isAlone = driver.rest.length === 0;
  const cost = isAlone || shape.selective ? 'cheap' : 'expensive';
  const probe = cost === 'expensive' ? walkProbe(sql, driver, page.probed) : undefined;
  return { query, cost, plan: isAlone ? 'generic' : 'custom', probe };
}

/** As many of each walk as the page has, the first of all these, and their texts last. */
function writeMergedWalks(
  sql: RowSql,
  { plan, walks }: { readonly plan: PlanShape; readonly walks: readonly Walk[] },
  page: PageSlots,
): WrittenQuery {
  const { knex } = sql.dialect;
  const ids = knex
    .queryBuilder()
    .from(mergedIds(sql, walks, page).as('o'))
    .select('o.RES_ID');
  orderBy(ids, [byRowId('o')], null);
  ids.limit(...(toMarkers([page.limit]) as [number]));
  const query = knex.queryBuilder().from(ids.as('k'));
  sql.tables.join(query, 'HFJ_RESOURCE', 'r').whereRaw('r.RES_ID = k.RES_ID');
  orderBy(query, [byRowId('k')], null);
  query.select(rowColumns('r', sql, typesOf(plan)));
  const isShort = walks.every(({ driver }) => driver.rest.length === 0) && areSeeks(walks);
  if (isInAnySystem(walks))
    return { query, cost: 'expensive', plan: 'generic', probe: systemProbe(sql, walks, page.probed) };
  return { query, cost: isShort ? 'cheap' : 'expensive', plan: isShort ? 'generic' : 'custom' };
}

/** Nothing but a code is asked for, which may be in few systems or in many. */
function isInAnySystem(walks: readonly Walk[]): boolean {
  return isOneWalk(walks) && walks.some(isOpen);
}

function isOneWalk([walk, ...others]: readonly Walk[]): boolean {
  return walk !== undefined && others.length === 0 && walk.driver.rest.length === 0;
}

interface ResourceOrder {
  readonly by: keyof typeof ORDERS;
  readonly direction: SortDirection;
}

/** The order of a walk along HFJ_RESOURCE, where one of its keys has it. */
function resourceOrder({ sort, standing }: PlanShape): ResourceOrder | null {
  const [key, ...others] = sort;
  if (!key) return standing === 'age' ? null : { by: standing, direction: 'ascending' };
  const { by, direction } = key;
  return others.length === 0 && (by === 'id' || by === 'updated') ? { by, direction } : null;
}

function writeResourceWalk(
  sql: RowSql,
  plan: PlanShape,
  { by, direction }: ResourceOrder,
  page: PageSlots,
): WrittenQuery {
  const r = sql.alias('r');
  const query = sql.tables.open('HFJ_RESOURCE', r);
  new ConditionSql(sql).holdLive(query, plan, r);
  const order = ORDERS[by].map((name) => ({ column: `${r}.${name}`, direction, nullable: false }));
  finish(query, rowColumns(r, sql, typesOf(plan)), order, page);
  return isQuick(plan, null)
    ? { query, cost: 'cheap', plan: 'generic' }
    : { query, cost: 'expensive', plan: 'custom' };
}

/** Several walks along one key of HFJ_RESOURCE, one for each type. */
interface TypeWalks {
  readonly plan: PlanShape;
  readonly types: Slot;
  readonly order: ResourceOrder;
}

/** A key that leads through several types is walked as one where the database goes from one to the next in it. */
function isEachTypeWalked({ dialect }: RowSql, plan: PlanShape, { by }: ResourceOrder): boolean {
  return by !== 'type' || (dialect.seeks === 'lateral' && isWhole(plan));
}

/** Whether nothing is asked for but types. */
function isWhole({ where }: PlanShape): boolean {
  return where.kind === 'all' && where.of.length === 0;
}

/** The first of each type in the order wanted, and the first of all these: a key begins with the type. */
function writeEachType(sql: RowSql, { plan, types, order }: TypeWalks, page: PageSlots): WrittenQuery {
  const { knex, jsonNumbers, seeks } = sql.dialect;
  const [t, x, r] = [sql.alias('t'), sql.alias('x'), sql.alias('r')];
  const orderIn = (alias: string): OrderColumn[] =>
    ORDERS[order.by].map((name) => ({
      column: `${alias}.${name}`,
      direction: order.direction,
      nullable: false,
    }));
  const first = sql.tables.open('HFJ_RESOURCE', x).select(`${x}.RES_ID`);
  first.whereRaw(`${x}.RES_TYPE_ID = ${t}.value and ${x}.RES_DELETED_AT is null`);
  new ConditionSql(sql).hold(first, plan.where, { ...subjectOf(x), resource: x });
  const query = knex.queryBuilder().from(knex.raw(jsonNumbers(t), toMarkers([types])));
  if (order.by === 'type')
    beginInType({ query, type: `${t}.value` }, { first, id: `${x}.FHIR_ID` }, page.after);
  else orderBy(first, orderIn(x), page.after);
  first.limit(...(toMarkers([page.limit]) as [number]));
  if (seeks === 'lateral') query.crossJoin(knex.raw('lateral ? as k', [first]));
  sql.tables.joinByRowId(query, 'HFJ_RESOURCE', r);
  if (seeks === 'lateral') query.whereRaw(`${r}.RES_ID = k.RES_ID`);
  else query.whereIn(`${r}.RES_ID`, first);
  finish(query, rowColumns(r, sql, 'any'), orderIn(r), { after: null, limit: page.limit });
  return { query, cost: isWhole(plan) ? 'cheap' : 'expensive', plan: 'custom' };
}

/** Orders resources of one type by their ids. A page begins within a type, and after it all others do from their first id. */
function beginInType(
  { query, type }: { readonly query: Query; readonly type: string },
  { first, id }: { readonly first: Query; readonly id: string },
  after: After | null,
): void {
  first.orderByRaw(`${id} asc`);
  const [typeId, fhirId] = after ?? [];
  if (!typeId || !fhirId) return;
  query.whereRaw(`${type} >= ?`, toMarkers([typeId]));
  first.whereRaw(`${id} > case when ${type} = ? then ? else '' end`, toMarkers([typeId, fhirId]));
}

function writeSorted(sql: RowSql, asked: PlanShape, page: PageSlots): WrittenQuery {
  const plan = withStandingOrder(sql, asked);
  const driver = pickDriver(plan.where);
  const isRanked = plan.sort[0]?.by === 'relevance';
  const isFixed = driver !== null && !isRanked && !sql.tables.plural && isFoundAlike(driver);
  const matches = keyedMatches(sql, plan);
  const query = inOrder(sql, { plan, matches: isFixed ? sql.dialect.tried(matches) : matches }, page);
  const cost = driver?.shape.kind === 'rows' && driver.shape.selective ? 'cheap' : 'expensive';
  const probe = plan.sort.length === 0 ? probeOf(sql, driver, page.probed) : undefined;
  return { query, cost, plan: isFixed ? 'fixed' : 'custom', probe };
}

/** A plan whose order no index has this time is put in order as if that had been asked for. */
function withStandingOrder({ tables }: RowSql, plan: PlanShape): PlanShape {
  const { sort, standing } = plan;
  if (sort.length > 0 || tables.plural || standing === 'age') return plan;
  const keys = standing === 'type' ? (['type', 'id'] as const) : [standing];
  return { ...plan, sort: keys.map((by) => ({ by, direction: 'ascending' })) };
}

/** The same page from a walk along an index; it may have fewer rows. */
export function writeOrdered(sql: RowSql, plan: PlanShape, walk: OrderedWalk): WrittenQuery {
  const matches = sql.dialect.knex.queryBuilder().from(orderedIds(sql, walk).as('m')).select('m.*');
  const [, ...others] = keysOf(plan);
  for (const { sort, name } of others) selectSortValue(matches, sort, name, sql);
  return { query: inOrder(sql, { plan, matches }, walk.page), cost: 'expensive', plan: 'custom' };
}

/** Matches with their keys: those of the page, and their texts last. */
function inOrder(
  sql: RowSql,
  { plan, matches }: { readonly plan: PlanShape; readonly matches: Query },
  page: PageSlots,
): Query {
  const { knex } = sql.dialect;
  const direction = plan.sort.at(-1)?.direction ?? 'ascending';
  const orderIn = (alias: string): OrderColumn[] => [
    ...keysOf(plan).map(({ sort, name }) => ({
      column: `${alias}.${name}`,
      direction: sort.direction,
      nullable: true,
    })),
    { column: `${alias}.RES_ID`, direction, nullable: false },
  ];
  const ids = knex.queryBuilder().from(matches.as('o')).select('o.*');
  orderBy(ids, orderIn('o'), page.after);
  ids.limit(...(toMarkers([page.limit]) as [number]));
  const query = knex.queryBuilder().from(ids.as('k'));
  sql.tables.join(query, 'HFJ_RESOURCE', 'r').whereRaw('r.RES_ID = k.RES_ID');
  orderBy(query, orderIn('k'), null);
  return query.select([...rowColumns('r', sql, typesOf(plan)), ...keyColumns(orderIn('k'))]);
}

function keysOf({ sort }: PlanShape): readonly { readonly sort: SortShape; readonly name: string }[] {
  return sort.map((key, index) => ({ sort: key, name: `K${index}` }));
}

/** RES_ID and the sort keys of all matches. */
function keyedMatches(sql: RowSql, plan: PlanShape): Query {
  const [first] = plan.sort;
  if (first?.by === 'relevance') return relevantMatches(sql, plan, first.text);
  const matches = sql.dialect.knex
    .queryBuilder()
    .from(new ConditionSql(sql).matching(plan, 'rows').as('m'))
    .select('m.RES_ID');
  for (const { sort, name } of keysOf(plan)) selectSortValue(matches, sort, name, sql);
  return matches;
}

function finish(
  query: Query,
  columns: readonly (string | Knex.Raw)[],
  order: readonly OrderColumn[],
  page: PageSlots,
): void {
  query.select([...columns, ...keyColumns(order)]);
  orderBy(query, order, page.after);
  query.limit(...(toMarkers([page.limit]) as [number]));
}

/** Few rows are looked at for each one that is answered. */
function isQuick(plan: PlanShape, driver: Driver | null): boolean {
  if (driver !== null) {
    const walks = walksOf(driver);
    const [walk] = walks;
    return walk !== undefined && areSeeks(walks) && (driver.rest.length === 0 || walk.shape.selective);
  }
  const parts = plan.where.kind === 'all' ? plan.where.of : [plan.where];
  if (parts.some((part) => part.kind === 'resource' && part.by === 'id')) return true;
  const order = resourceOrder(plan);
  return parts.every((part) => part.kind === 'resource' && part.by === order?.by);
}
