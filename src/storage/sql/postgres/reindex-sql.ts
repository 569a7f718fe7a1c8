import {
  IN_SERVICE,
  storedValues,
  VALUE_KINDS,
  VALUE_TABLES,
  valueColumns,
  type ValueKind,
} from './write-sql.js';
import { names, Parameters } from './statement-parameters.js';

/** What tells index rows of one partition apart: PARAM_ID, the values, RES_ID. */
function keyColumns(kind: ValueKind): readonly (readonly [name: string, type: string])[] {
  const { key } = VALUE_TABLES[kind];
  return valueColumns(kind).filter((_, index, all) => index <= key || index === all.length - 1);
}

function isThere(kind: ValueKind): string {
  const same = keyColumns(kind).map(([name]) => `t.${name} = v.${name}`);
  return `exists (select 1 from ${VALUE_TABLES[kind].table} t where t.PARTITION_ID = $1::integer and ${same.join(' and ')})`;
}

/** After the leading parameters come the keys of rows; answers kind and ordinal (from 1) of those that are missing. */
function missingValuesSql(): string {
  const parameters = new Parameters();
  const parts = VALUE_KINDS.map((kind) => {
    const columns = keyColumns(kind);
    return `select '${kind}' as KIND, v.N from ${parameters.rows(columns)} with ordinality v (${names(columns)}, N)
      where not ${isThere(kind)}`;
  });
  return `select m.KIND, m.N from (${parts.join(' union all ')}) m where $2::date is null`;
}

const RESOURCES = [
  ['RES_ID', 'bigint'],
  ['RES_VER', 'integer'],
] as const;
const LINKS = [
  ['RES_ID', 'bigint'],
  ['PARAM_ID', 'integer'],
  ['TARGET_RES_ID', 'bigint'],
  ['TARGET_TYPE_ID', 'integer'],
  ['TARGET_URL', 'text'],
] as const;
const LINK_KEYS = LINKS.filter(([name]) => name !== 'TARGET_TYPE_ID');

const isCurrent = (alias: string): string =>
  `exists (select 1 from NOW_CURRENT c where c.RES_ID = ${alias}.RES_ID)`;

function addValues(parameters: Parameters): readonly string[] {
  return VALUE_KINDS.map((kind) => {
    const columns = valueColumns(kind);
    return `NEW_${kind} as (insert into ${VALUE_TABLES[kind].table} (PARTITION_ID, PARTITION_DATE, ${names(columns)})
      select $1::integer, $2::date, ${storedValues(kind)} from ${parameters.rows(columns)} v (${names(columns)})
      where ${isCurrent('v')} and not ${isThere(kind)})`;
  });
}

function dropValues(parameters: Parameters): readonly string[] {
  return VALUE_KINDS.map((kind) => {
    const columns = keyColumns(kind);
    const same = columns.map(([name]) => `t.${name} = v.${name}`);
    return `OLD_${kind} as (delete from ${VALUE_TABLES[kind].table} t
      using ${parameters.rows(columns)} v (${names(columns)})
      where t.PARTITION_ID = $1::integer and ${same.join(' and ')} and ${isCurrent('v')})`;
  });
}

/**
 * Adds rows of resources of one partition date, each only where it is missing, and deletes others, if the resource is
 * at the version that they were made of; answers the row ids of these resources. Run where nobody else writes to the partition.
 */
function addRowsSql(): string {
  const parameters = new Parameters();
  const parts = [
    `NOW_CURRENT as materialized (select r.RES_ID from ${parameters.rows(RESOURCES)} v (${names(RESOURCES)})
      join HFJ_RESOURCE r on r.PARTITION_ID = $1::integer and r.RES_ID = v.RES_ID and r.RES_VER = v.RES_VER)`,
    ...addValues(parameters),
    `NEW_LINK as (insert into HFJ_RES_LINK (PARTITION_ID, PARTITION_DATE, ${names(LINKS)})
      select $1::integer, $2::date, v.* from ${parameters.rows(LINKS)} v (${names(LINKS)})
      where ${isCurrent('v')} and not exists (select 1 from HFJ_RES_LINK k where k.PARTITION_ID = $1::integer
        and k.PARAM_ID = v.PARAM_ID and k.TARGET_RES_ID = v.TARGET_RES_ID and k.TARGET_URL = v.TARGET_URL
        and k.RES_ID = v.RES_ID))`,
    ...dropValues(parameters),
    `OLD_LINK as (delete from HFJ_RES_LINK k using ${parameters.rows(LINK_KEYS)} v (${names(LINK_KEYS)})
      where k.PARTITION_ID = $1::integer and k.PARAM_ID = v.PARAM_ID and k.TARGET_RES_ID = v.TARGET_RES_ID
        and k.TARGET_URL = v.TARGET_URL and k.RES_ID = v.RES_ID and ${isCurrent('v')})`,
  ];
  return `with ${parts.join(',\n')} select c.RES_ID, ${IN_SERVICE} from NOW_CURRENT c`;
}

export const REINDEX_SQL = {
  missingValues: missingValuesSql(),
  addRows: addRowsSql(),
  /** The sets of paths that the resources $2 are known by. */
  params: `select r.RES_ID, r.RES_PARAMS_ID from HFJ_RESOURCE r
    where r.PARTITION_ID = $1::integer and r.RES_ID = any ($2::bigint[])`,
  /** All that the resources $2 refer to, whatever the path, with targets in the partitions $3. */
  links: `select l.RES_ID, l.PARAM_ID, l.TARGET_RES_ID, l.TARGET_URL, t.RES_TYPE_ID, t.FHIR_ID, l.TARGET_TYPE_ID
    from HFJ_RES_LINK l left join HFJ_RESOURCE t
      on t.RES_ID = l.TARGET_RES_ID and t.PARTITION_ID = any ($3::integer[])
    where l.PARTITION_ID = $1::integer and l.RES_ID = any ($2::bigint[])`,
} as const;
