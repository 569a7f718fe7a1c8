import type { Statement } from 'better-sqlite3';
import { DEFAULT_PARTITION_ID } from '../../../model/partition.js';
import type { ValueTable } from '../index-rows.js';
import type { SqliteDatabase } from './open.js';

/**
 * The hand-written SQL of the hot path. It stands here as text, in one place, so that the guard test can read
 * it: every alias of a partitioned table has a PARTITION_ID predicate, or the statement inserts one.
 * Single-partition statements take the id; the others take a JSON array of ids.
 */
const VERSION_COLUMNS =
  'RES_ID, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT';
/** Those that the partition, the type and the id do not tell. */
const KEYED_COLUMNS = 'RES_ID, PARTITION_DATE, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT';

const RESOURCE_VERSION =
  'HFJ_RESOURCE where PARTITION_ID = @partition and RES_ID = @rowId and RES_VER = @version';

export const WRITE_SQL = {
  isInService: `select 1 from HFJ_PARTITION where PART_ID = ? and PART_STATE = 'active'`,
  /**
   * The partition's horizon, 0 where it has none, and 1 where what it holds is kept; no row where the partition is not in
   * service.
   */
  horizon: `select coalesce((select h.HORIZON from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = @partition), 0),
    (select 1 from HFJ_PARTITION_USAGE u where u.PARTITION_ID = @partition)
    where @partition = ${DEFAULT_PARTITION_ID}
      or exists (select 1 from HFJ_PARTITION where PART_ID = @partition and PART_STATE = 'active')`,
  insertResource: `insert into HFJ_RESOURCE
    (RES_ID, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_VER, RES_UPDATED, RES_DELETED_AT, RES_TEXT,
      RES_PARAMS_ID)
    values (?, ?, ?, ?, ?, 1, ?, null, ?, ?) on conflict do nothing`,
  archiveVersion: `insert into HFJ_RES_VER
    (RES_ID, RES_VER, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_DELETED_AT, RES_TEXT)
    select RES_ID, RES_VER, PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, FHIR_ID, RES_UPDATED, RES_DELETED_AT, RES_TEXT
    from ${RESOURCE_VERSION}`,
  replaceVersion: `update HFJ_RESOURCE
    set RES_VER = @version + 1, RES_UPDATED = @updated, RES_DELETED_AT = @deletedAt, RES_TEXT = @text,
      RES_PARAMS_ID = @params
    where PARTITION_ID = @partition and RES_ID = @rowId and RES_VER = @version`,
  findTarget: `select RES_ID, RES_DELETED_AT from HFJ_RESOURCE
    where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID = ?`,
  findTargetAnywhere: `select RES_ID, RES_DELETED_AT from HFJ_RESOURCE
    where PARTITION_ID in (select PART_ID from HFJ_PARTITION union select 0) and RES_TYPE_ID = ? and FHIR_ID = ?
    order by RES_DELETED_AT is not null, RES_ID limit 10`,
  insertLink: `insert or ignore into HFJ_RES_LINK
    (PARTITION_ID, PARTITION_DATE, PARAM_ID, TARGET_RES_ID, TARGET_TYPE_ID, TARGET_URL, RES_ID)
    values (?, ?, ?, ?, ?, ?, ?)`,
  linksOf: `select PARAM_ID, TARGET_RES_ID, TARGET_URL from HFJ_RES_LINK where PARTITION_ID = ? and RES_ID = ?`,
  deleteLink: `delete from HFJ_RES_LINK
    where PARTITION_ID = ? and PARAM_ID = ? and TARGET_RES_ID = ? and TARGET_URL = ? and RES_ID = ?`,
  deleteLinks: `delete from HFJ_RES_LINK where PARTITION_ID = ? and RES_ID = ?`,
  /** The first ten, whatever the paths are that they refer from. */
  referrers: `select distinct r.PARTITION_ID, r.RES_TYPE_ID, r.FHIR_ID, r.RES_ID from json_each(@params) p
    cross join HFJ_RESOURCE r not indexed where r.PARTITION_ID = @partition
      and r.RES_ID in (select l.RES_ID from HFJ_RES_LINK l where l.PARTITION_ID = @partition and l.PARAM_ID = p.value
        and l.TARGET_RES_ID = @rowId and l.TARGET_URL = '' and l.RES_ID <> @rowId order by l.RES_ID limit 10)
    order by r.RES_ID limit 10`,
  findClaim: `select RES_ID from HFJ_RES_SEARCH_URL
    where PARTITION_ID = ? and RES_TYPE_ID = ? and RES_SEARCH_URL = ?`,
  setClaim: `insert or replace into HFJ_RES_SEARCH_URL
    (PARTITION_ID, PARTITION_DATE, RES_TYPE_ID, RES_SEARCH_URL, RES_ID) values (?, ?, ?, ?, ?)`,
  releaseClaims: `delete from HFJ_RES_SEARCH_URL where PARTITION_ID = ? and RES_ID = ?`,
  claimId: `insert into HFJ_RES_ID_CLAIM (RES_TYPE_ID, FHIR_ID, PARTITION_ID, PARTITION_DATE)
    values (?, ?, ?, ?) on conflict do nothing`,
  idClaimant: `select PARTITION_ID from HFJ_RES_ID_CLAIM
    where PARTITION_ID = @partition and RES_TYPE_ID = @typeId and FHIR_ID = @id`,
} as const;

const VALUE_TABLES: Readonly<
  Record<ValueTable, { readonly table: string; readonly columns: readonly string[] }>
> = {
  token: { table: 'HFJ_SPIDX_TOKEN', columns: ['PARAM_ID', 'SP_VALUE', 'SYS_ID'] },
  string: { table: 'HFJ_SPIDX_STRING', columns: ['PARAM_ID', 'SP_NORM', 'SP_EXACT'] },
  date: { table: 'HFJ_SPIDX_DATE', columns: ['PARAM_ID', 'SP_LOW', 'SP_HIGH'] },
  number: { table: 'HFJ_SPIDX_NUMBER', columns: ['PARAM_ID', 'SP_VALUE'] },
  uri: { table: 'HFJ_SPIDX_URI', columns: ['PARAM_ID', 'SP_VALUE'] },
  quantity: {
    table: 'HFJ_SPIDX_QUANTITY',
    columns: ['PARAM_ID', 'SP_VALUE', 'SYS_ID', 'SP_CODE', 'SP_UNIT', 'SP_CANON_VALUE', 'SP_CANON_UNIT'],
  },
  composite: {
    table: 'HFJ_SPIDX_COMPOSITE',
    columns: [
      'PARAM_ID',
      'SP_VALUE',
      'SYS_ID',
      'SP_LOW',
      'SP_UNIT',
      'SP_ELEMENT',
      'SP_HIGH',
      'SP_CANON_UNIT',
    ],
  },
  // What is inserted there becomes a row of HFJ_RES_FULLTEXT and an entry of the index of words.
  text: { table: 'HFJ_RES_FULLTEXT_NEW', columns: ['PARAM_ID', 'SP_WORDS'] },
};

/** How many of a value row's columns are part of its key: the canonical quantity is not. */
export const KEY_COLUMNS: Readonly<Record<ValueTable, number>> = {
  token: 3,
  string: 3,
  date: 3,
  number: 2,
  uri: 2,
  quantity: 5,
  composite: 6,
  text: 1,
};

function insertValueSql(kind: ValueTable): string {
  const { table, columns } = VALUE_TABLES[kind];
  const places = Array.from({ length: columns.length + 3 }, () => '?').join(', ');
  return `insert or ignore into ${table} (PARTITION_ID, PARTITION_DATE, ${columns.join(', ')}, RES_ID) values (${places})`;
}

function deleteValueSql(kind: ValueTable): string {
  const { columns } = VALUE_TABLES[kind];
  const table = kind === 'text' ? 'HFJ_RES_FULLTEXT' : VALUE_TABLES[kind].table;
  const key = columns.slice(0, KEY_COLUMNS[kind]).map((column) => `${column} = ?`);
  return `delete from ${table} where PARTITION_ID = ? and ${key.join(' and ')} and RES_ID = ?`;
}

const VALUE_KINDS = Object.keys(VALUE_TABLES) as readonly ValueTable[];

/** SQL by value table, for inserts and for deletes by whole key. */
export const VALUE_SQL = Object.fromEntries(
  VALUE_KINDS.map((kind) => [kind, { insert: insertValueSql(kind), delete: deleteValueSql(kind) }]),
) as Readonly<Record<ValueTable, { readonly insert: string; readonly delete: string }>>;

/** Reads by id, for a scope of one partition and of several. */
export const READ_SQL = {
  readOne: `select ${KEYED_COLUMNS} from HFJ_RESOURCE where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID = ?`,
  readMany: `select ${VERSION_COLUMNS} from HFJ_RESOURCE
    where PARTITION_ID in (select value from json_each(?)) and RES_TYPE_ID = ? and FHIR_ID = ?`,
  readSuperseded: `select ${VERSION_COLUMNS} from HFJ_RES_VER where +PARTITION_ID = ? and RES_ID = ? and RES_VER = ?`,
} as const;

/** What a history statement covers: a whole type of one partition, or one resource; all its time, or `_at`. */
export interface HistoryShape {
  readonly target: 'type' | 'instance';
  readonly window: 'all' | 'at';
}

/** The RES_UPDATED index serves a type; the key of the resource serves an instance. */
function historyFilter(shape: HistoryShape, alias: string): string {
  const target =
    shape.target === 'type'
      ? `${alias}.PARTITION_ID = @scope and ${alias}.RES_TYPE_ID = @typeId`
      : `+${alias}.PARTITION_ID = @scope and ${alias}.RES_ID = @rowId`;
  const window =
    shape.window === 'all'
      ? `and ${alias}.RES_UPDATED >= @since`
      : `and coalesce(${successor('HFJ_RES_VER', alias)}, ${successor('HFJ_RESOURCE', alias)}, @atLow + 1) > @atLow`;
  return `${target} and ${alias}.RES_UPDATED <= @until ${window}`;
}

function successor(table: string, alias: string): string {
  return `(select n.RES_UPDATED from ${table} n where n.PARTITION_ID = ${alias}.PARTITION_ID
    and n.RES_ID = ${alias}.RES_ID and n.RES_VER = ${alias}.RES_VER + 1)`;
}

/** When the version before was a deletion, its time. */
const DELETED_BEFORE = `(select p.RES_DELETED_AT from HFJ_RES_VER p
    where p.PARTITION_ID = @scope and p.RES_ID = h.RES_ID and p.RES_VER = h.RES_VER - 1)`;

/** One page of history, newest first, straight off one index of each of the two tables. */
export function historySql(shape: HistoryShape): string {
  const part = (table: string): string => `select * from (select ${VERSION_COLUMNS} from ${table} v
    where ${historyFilter(shape, 'v')} and (RES_UPDATED, RES_ID, RES_VER) < (@afterUpdated, @afterRow, @afterVersion)
    order by RES_UPDATED desc, RES_ID desc, RES_VER desc limit @count)`;
  return `select h.*, ${DELETED_BEFORE} from (${part('HFJ_RESOURCE')} union all ${part('HFJ_RES_VER')}) h
    order by RES_UPDATED desc, RES_ID desc, RES_VER desc limit @count`;
}

/** How many versions the same history has. */
export function historyCountSql(shape: HistoryShape): string {
  const part = (table: string): string =>
    `(select count(*) from ${table} v where ${historyFilter(shape, 'v')})`;
  return `select ${part('HFJ_RESOURCE')} + ${part('HFJ_RES_VER')}`;
}

/** Prepares every statement of a table of SQL texts; rows come as arrays. */
export function prepareAll<Name extends string>(
  db: SqliteDatabase,
  sql: Readonly<Record<Name, string>>,
): Readonly<Record<Name, Statement>> {
  const entries = Object.entries<string>(sql).map(([name, text]) => {
    const statement = db.prepare(text);
    return [name, statement.reader ? statement.raw() : statement];
  });
  return Object.fromEntries(entries) as Record<Name, Statement>;
}
