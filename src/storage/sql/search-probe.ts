import type { Knex } from 'knex';
import { isSeek } from './search-conditions.js';
import { pickDriver, type Driver } from './search-driver.js';
import { countable, counted, limitedRows } from './search-few.js';
import type { RowSql } from './search-rows.js';
import type { RowsShape, Shape, TypedShape } from './search-shape.js';
import type { Walk } from './search-walk.js';
import { toMarkers, type Slot } from './slots.js';

type Query = Knex.QueryBuilder;

/** Alternatives that are tried one by one for each resource of a walk. */
const MOST_TESTS = 2;

/** Counts what a search looks at up to a limit, where it looks at few kinds of rows alone; see SqlProbe. */
export function probeOf(sql: RowSql, driver: Driver | null, limit: Slot | undefined): Query | undefined {
  if (limit === undefined || driver === null || driver.rest.length > 0) return undefined;
  const { shape } = driver;
  if (shape.kind === 'chain') return chainProbe(sql, shape, limit);
  const rows = countable(shape, 'range');
  return rows && counted(sql, limitedRows(sql, rows, limit));
}

/** Whether matches are found along the same indexes in the same order, whatever the values are. */
export function isFoundAlike({ shape, rest }: Driver): boolean {
  if (rest.length > 0) return false;
  if (shape.kind !== 'chain') return countable(shape, 'key', 'range') !== undefined;
  const [target, ...others] = shape.targets;
  return target !== undefined && others.length === 0 && targetRows(target) !== undefined;
}

/** The rows of a walk, where what remains to be tested on each of its resources is a seek. */
export function walkProbe(sql: RowSql, { shape, rest }: Driver, limit: Slot | undefined): Query | undefined {
  if (limit === undefined || !rest.every(isSought)) return undefined;
  const rows = countable(shape, 'key');
  return rows && counted(sql, limitedRows(sql, rows, limit));
}

/** A page looks at so many rows of each system at least. */
const ROWS_OF_SYSTEM = 50;

/** What the systems of a code cost, where a code is all that is asked for. */
export function systemProbe(
  sql: RowSql,
  [walk]: readonly Walk[],
  limit: Slot | undefined,
): Query | undefined {
  const open = walk?.test.openSystem;
  if (limit === undefined || walk === undefined || open === undefined) return undefined;
  const systems = sql.systemsOf(walk.shape, open).limit(...(toMarkers([limit]) as [number]));
  const { knex } = sql.dialect;
  return knex
    .queryBuilder()
    .from(systems.as(sql.alias('n')))
    .select(knex.raw(`count(*) * ${ROWS_OF_SYSTEM}`));
}

function isSought(shape: Shape): boolean {
  if (shape.kind === 'resource') return true;
  if (shape.kind !== 'rows' || shape.tests === null || shape.tests.length > MOST_TESTS) return false;
  return shape.tests.every((test) => isSeek(shape, test));
}

/** The targets, and the links that lead to the first of them: both have to be few. */
function chainProbe(
  sql: RowSql,
  { params, targets }: Extract<Shape, { kind: 'chain' }>,
  limit: Slot,
): Query | undefined {
  const [target, ...others] = targets;
  const rows = target && others.length === 0 ? targetRows(target) : undefined;
  if (rows === undefined) return undefined;
  const name = sql.alias('n');
  const at = { column: 'TARGET_RES_ID', value: `${name}.RES_ID` } as const;
  const { query: links } = sql.linksAt({ found: limitedRows(sql, rows, limit).as(name), at, params });
  links.select(sql.dialect.knex.raw('1')).limit(...(toMarkers([limit]) as [number]));
  const both = [counted(sql, limitedRows(sql, rows, limit)), counted(sql, links)];
  return sql.dialect.knex.queryBuilder().select(sql.dialect.knex.raw('? + ?', both));
}

/** The rows of one test that lead to the targets of a chain, where nothing else is asked of them. */
function targetRows({ where }: TypedShape): RowsShape | undefined {
  const driver = pickDriver(where);
  return driver === null || driver.rest.length > 0 ? undefined : countable(driver.shape, 'key', 'range');
}
