import type { PartitionId } from '../../../model/partition.js';
import { MOST_AHEAD_MS, ROW_STATES } from '../export-page.js';
import { IN_SERVICE } from './write-sql.js';

const { passed, live, deleted } = ROW_STATES;

/** By the database's clock, since those of servers differ. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** The types that a partition has resources of, each found by one seek. */
const TYPES = `with recursive TYPE (ID) as (
    (select r.RES_TYPE_ID from HFJ_RESOURCE r where r.PARTITION_ID = $1::integer order by r.RES_TYPE_ID limit 1)
    union all
    select (select r.RES_TYPE_ID from HFJ_RESOURCE r where r.PARTITION_ID = $1::integer and r.RES_TYPE_ID > TYPE.ID
      order by r.RES_TYPE_ID limit 1) from TYPE where TYPE.ID is not null)`;

const HORIZON = `(select h.HORIZON from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = $1::integer)`;

/** The SQL of bulk exports; $1 is the partition. */
export const EXPORT_SQL = {
  /**
   * Sets the horizon, while nobody writes, to now or to what a clock that is ahead has dated. Tells it, and refuses where
   * the partition is not in service.
   */
  fixPast: `${TYPES}
    insert into HFJ_PARTITION_HORIZON as h (PARTITION_ID, HORIZON)
    select $1::integer, greatest(n.AT, ${HORIZON}, (select max((select r.RES_UPDATED from HFJ_RESOURCE r
        where r.PARTITION_ID = $1::integer and r.RES_TYPE_ID = TYPE.ID and r.RES_UPDATED <= n.AT + ${MOST_AHEAD_MS}
        order by r.RES_UPDATED desc limit 1)) from TYPE))
      from (select ${NOW} as AT) n
    on conflict (PARTITION_ID) do update set HORIZON = excluded.HORIZON where h.PARTITION_ID = $1::integer
    returning HORIZON, ${IN_SERVICE}`,
  /** $2 row ids, $3 the versions of their deletions. */
  lastTexts: `select d.ID, (select v.RES_TEXT from HFJ_RES_VER v
      where v.PARTITION_ID = $1 and v.RES_ID = d.ID and v.RES_VER < d.VERSION and v.RES_TEXT is not null
      order by v.RES_VER desc limit 1)
    from unnest($2::bigint[], $3::integer[]) d (ID, VERSION)`,
  countTypes: `select r.RES_TYPE_ID, count(*) from HFJ_RESOURCE r where r.PARTITION_ID = $1 group by r.RES_TYPE_ID`,
} as const;

/** Which rows are copied, and how many at most. A copy takes no parameters: all of these are numbers. */
export interface CopiedRows {
  readonly partition: PartitionId;
  readonly typeId: number;
  readonly until: number;
  readonly rows: number;
  readonly bytes: number;
}

/** After when, and which row. */
export interface CopiedRange extends CopiedRows {
  readonly updated: number;
  readonly rowId: number;
  /** Without texts, and without what is not deleted. */
  readonly isOfDeletions: boolean;
}

const COLUMNS = ['RES_ID', 'FHIR_ID', 'RES_VER', 'RES_UPDATED'];
const columns = (alias: string): string => COLUMNS.map((name) => `${alias}.${name}`).join(', ');

/** Equality, in a way that leaves an order by the column its meaning: see byFhirId. */
const soughtIn = (column: string, value: string): string => `${column} >= ${value} and ${column} <= ${value}`;

/** When the version after `v` was written. */
const successor = (partition: string): string => `coalesce(
  (select n.RES_UPDATED from HFJ_RES_VER n where n.PARTITION_ID = ${partition} and n.RES_ID = v.RES_ID
    and ${soughtIn('n.RES_VER', '(v.RES_VER + 1)')} order by n.RES_VER limit 1),
  (select n.RES_UPDATED from HFJ_RESOURCE n where n.PARTITION_ID = ${partition}
    and ${soughtIn('n.RES_ID', 'v.RES_ID')} and n.RES_VER = v.RES_VER + 1 order by n.RES_ID limit 1))`;

const stateOf = (alias: string, present: number): string =>
  `case when ${alias}.RES_DELETED_AT is not null then ${deleted} else ${present} end`;

const size = (alias: string): string =>
  `case when ${alias}.STATE = ${live} then coalesce(octet_length(${alias}.RES_TEXT), 0) + 1 else 0 end`;

/**
 * Rows in the order of `key` until their texts have `bytes`: RES_ID, FHIR_ID, RES_VER, RES_UPDATED, STATE and RES_TEXT.
 * The sizes of texts are known without reading them.
 */
function copySql(rows: string, key: string, bytes: number): string {
  return `copy (select ${columns('y')}, y.STATE, case when y.STATE = ${live} then y.RES_TEXT end
    from (select x.*, sum(${size('x')}) over (order by ${key} rows unbounded preceding) as TOTAL from (${rows}) x) y
    where y.TOTAL - (${size('y')}) < ${whole(bytes)} order by ${key}) to stdout (format binary)`;
}

/** Both tables in the order of their keys, along one index each, merged and not sorted. */
export function walkSql({ rows, bytes, isOfDeletions, ...range }: CopiedRange): string {
  const [partition, typeId, until, updated, rowId] = [
    range.partition,
    range.typeId,
    range.until,
    range.updated,
    range.rowId,
  ].map(whole) as [string, string, string, string, string];
  const present = isOfDeletions ? passed : live;
  const part = (table: string, alias: string, state: string): string => `(select ${columns(alias)},
      ${state} as STATE, ${alias}.RES_TEXT from ${table} ${alias}
    where ${alias}.PARTITION_ID = ${partition} and ${alias}.RES_TYPE_ID = ${typeId}
      and (${alias}.RES_UPDATED, ${alias}.RES_ID) > (${updated}::bigint, ${rowId}::bigint)
      and ${alias}.RES_UPDATED <= ${until} order by ${alias}.RES_UPDATED, ${alias}.RES_ID limit ${whole(rows)})`;
  const archived = `case when ${successor(partition)} > ${until} then ${stateOf('v', present)} else ${passed} end`;
  const key = 'RES_UPDATED, RES_ID';
  return copySql(
    `${part('HFJ_RESOURCE', 'r', stateOf('r', present))} union all ${part('HFJ_RES_VER', 'v', archived)}
      order by ${key} limit ${whole(rows)}`,
    key,
    bytes,
  );
}

/**
 * The versions of single resources, in the order of row ids, which are the only way to them: a type may be large. A
 * partition that is new to the planner is empty to it, and would be looked through for each resource.
 */
export function listSql({ bytes, ...of }: CopiedRows, rowIds: readonly number[]): string {
  const [partition, typeId, until] = [of.partition, of.typeId, of.until].map(whole) as [
    string,
    string,
    string,
  ];
  const ids = `array[${rowIds.map(whole).join(', ')}]::bigint[]`;
  const part = (
    table: string,
    alias: string,
    also: string,
  ): string => `(select l.* from unnest(${ids}) d (ID),
      lateral (select ${columns(alias)}, ${stateOf(alias, live)} as STATE, ${alias}.RES_TEXT from ${table} ${alias}
        where ${alias}.PARTITION_ID = ${partition} and ${soughtIn(`${alias}.RES_ID`, 'd.ID')}
          and ${alias}.RES_TYPE_ID + 0 = ${typeId} and ${alias}.RES_UPDATED + 0 <= ${until} ${also}
        order by ${alias}.RES_ID offset 0) l)`;
  const replaced = `and ${successor(partition)} > ${until}`;
  return copySql(
    `${part('HFJ_RESOURCE', 'r', '')} union all ${part('HFJ_RES_VER', 'v', replaced)}`,
    'RES_ID',
    bytes,
  );
}

/** @throws Error for anything that is not a whole number */
function whole(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not a whole number.`);
  return String(value);
}
