/** Reads by key and history. Every alias of a partitioned table has a predicate on PARTITION_ID. */
const columns = (alias: string): string =>
  [
    'RES_ID',
    'PARTITION_ID',
    'PARTITION_DATE',
    'RES_TYPE_ID',
    'FHIR_ID',
    'RES_VER',
    'RES_UPDATED',
    'RES_DELETED_AT',
    'RES_TEXT',
  ]
    .map((name) => `${alias}.${name}`)
    .join(', ');

/**
 * Looks one resource up by its id: condition, order and limit. While a table is empty all its indexes cost the same, and
 * the plan is kept while it fills. Therefore an order is asked for that the index of ids alone has, which an equality
 * would leave without a meaning; reads by key also switch sorts off.
 */
export function byFhirId(alias: string, id: string): string {
  return `${alias}.FHIR_ID >= ${id} and ${alias}.FHIR_ID <= ${id} order by ${alias}.FHIR_ID limit 1`;
}

export const READ_SQL = {
  readOne: `select ${columns('r')} from HFJ_RESOURCE r
    where r.PARTITION_ID = $1 and r.RES_TYPE_ID = $2 and ${byFhirId('r', '$3')}`,
  readMany: `select f.* from unnest($1::integer[]) p (ID) cross join lateral (
      select ${columns('r')} from HFJ_RESOURCE r
      where r.PARTITION_ID = p.ID and r.RES_TYPE_ID = $2 and ${byFhirId('r', '$3')}) f order by p.ID`,
  readSuperseded: `select ${columns('v')} from HFJ_RES_VER v
    where v.PARTITION_ID = any ($1::integer[]) and v.RES_ID = any ($2::bigint[]) and v.RES_VER = $3`,
} as const;

/** What a history statement covers: a whole type of one partition, or one resource; all its time, or `_at`. */
export interface HistoryShape {
  readonly target: 'type' | 'instance';
  readonly window: 'all' | 'at';
}

/**
 * $1 partition, $2 type id or row id, $3 until, $4 since or the lower end of `_at`; a page also has $5 to $7, the
 * key to continue below, and $8, how many.
 */
function historyFilter({ target, window }: HistoryShape, alias: string): string {
  const of = target === 'type' ? `${alias}.RES_TYPE_ID = $2` : `${alias}.RES_ID = $2`;
  const from =
    window === 'all'
      ? `${alias}.RES_UPDATED >= $4`
      : `coalesce(${successor('HFJ_RES_VER', alias)}, ${successor('HFJ_RESOURCE', alias)}, $4::bigint + 1) > $4::bigint`;
  return `${alias}.PARTITION_ID = $1 and ${of} and ${alias}.RES_UPDATED <= $3 and ${from}`;
}

function successor(table: string, alias: string): string {
  return `(select n.RES_UPDATED from ${table} n where n.PARTITION_ID = $1
    and n.RES_ID = ${alias}.RES_ID and n.RES_VER = ${alias}.RES_VER + 1)`;
}

const NEWEST_FIRST = 'RES_UPDATED desc, RES_ID desc, RES_VER desc';

/** When the version before was a deletion, its time. */
const DELETED_BEFORE = `(select p.RES_DELETED_AT from HFJ_RES_VER p
    where p.PARTITION_ID = $1 and p.RES_ID = h.RES_ID and p.RES_VER = h.RES_VER - 1)`;

/** One page of history, newest first, straight off one index of each of the two tables. */
export function historySql(shape: HistoryShape): string {
  const part = (table: string): string => `(select ${columns('v')} from ${table} v
    where ${historyFilter(shape, 'v')} and (v.RES_UPDATED, v.RES_ID, v.RES_VER) < ($5::bigint, $6::bigint, $7::bigint)
    order by ${NEWEST_FIRST} limit $8)`;
  return `select h.*, ${DELETED_BEFORE} from (${part('HFJ_RESOURCE')} union all ${part('HFJ_RES_VER')}) h order by ${NEWEST_FIRST} limit $8`;
}

/** How many versions the same history has. */
export function historyCountSql(shape: HistoryShape): string {
  const part = (table: string): string =>
    `(select count(*) from ${table} v where ${historyFilter(shape, 'v')})`;
  return `select ${part('HFJ_RESOURCE')} + ${part('HFJ_RES_VER')}`;
}
