import { ROW_STATES } from '../export-page.js';

const { passed, live, deleted } = ROW_STATES;

/** When the version after `v` was written. */
const SUCCESSOR = `coalesce(
  (select n.RES_UPDATED from HFJ_RES_VER n
    where +n.PARTITION_ID = @partition and n.RES_ID = v.RES_ID and n.RES_VER = v.RES_VER + 1),
  (select n.RES_UPDATED from HFJ_RESOURCE n
    where +n.PARTITION_ID = @partition and n.RES_ID = v.RES_ID and n.RES_VER = v.RES_VER + 1))`;

const stateOf = (alias: string): string =>
  `case when ${alias}.RES_DELETED_AT is not null then ${deleted} else @live end`;

const inRange = (
  alias: string,
): string => `${alias}.PARTITION_ID = @partition and ${alias}.RES_TYPE_ID = @typeId
    and (${alias}.RES_UPDATED, ${alias}.RES_ID) > (@updated, @rowId) and ${alias}.RES_UPDATED <= @until`;

const text = (alias: string, isWanted: string): string => `case when ${isWanted} then ${alias}.RES_TEXT end`;

const COLUMNS = (alias: string): string =>
  ['RES_ID', 'FHIR_ID', 'RES_VER', 'RES_UPDATED'].map((name) => `${alias}.${name}`).join(', ');

/**
 * The SQL of bulk exports. Rows come as `[rowId, id, version, updated, state, text]`; @live is the state of what is
 * not deleted, or that it is passed over.
 */
export const EXPORT_SQL = {
  /** Both tables in the order of their keys, along one index each, merged and not sorted. */
  walk: `select ${COLUMNS('r')}, ${stateOf('r')} as STATE, ${text('r', `@live = ${live}`)} as BODY
    from HFJ_RESOURCE r where ${inRange('r')}
    union all
    select ${COLUMNS('v')}, case when ${SUCCESSOR} > @until then ${stateOf('v')} else ${passed} end,
      ${text('v', `@live = ${live} and ${SUCCESSOR} > @until`)}
    from HFJ_RES_VER v where ${inRange('v')}
    order by 4, 1`,
  currentAt: `select ${COLUMNS('r')}, ${stateOf('r')} as STATE, ${text('r', `@live = ${live}`)} as BODY
    from HFJ_RESOURCE r
    where +r.PARTITION_ID = @partition and +r.RES_TYPE_ID = @typeId and r.RES_ID = @rowId
      and +r.RES_UPDATED <= @until`,
  replacedAt: `select ${COLUMNS('v')}, ${stateOf('v')} as STATE, ${text('v', `@live = ${live}`)} as BODY
    from HFJ_RES_VER v
    where +v.PARTITION_ID = @partition and +v.RES_TYPE_ID = @typeId and v.RES_ID = @rowId
      and +v.RES_UPDATED <= @until and ${SUCCESSOR} > @until order by v.RES_VER desc limit 1`,
  lastText: `select v.RES_TEXT from HFJ_RES_VER v
    where +v.PARTITION_ID = ? and v.RES_ID = ? and v.RES_VER < ? and v.RES_TEXT is not null
    order by v.RES_VER desc limit 1`,
  countTypes: `select r.RES_TYPE_ID, count(*) from HFJ_RESOURCE r where r.PARTITION_ID = ? group by r.RES_TYPE_ID`,
  /** The latest time at or before @most of what is stored of the types. */
  latest: `select max((select r.RES_UPDATED from HFJ_RESOURCE r
      where r.PARTITION_ID = @partition and r.RES_TYPE_ID = t.value and r.RES_UPDATED <= @most
      order by r.RES_UPDATED desc limit 1))
    from json_each(@types) t`,
  /** Reads something, so that the transaction has its snapshot. */
  look: `select h.HORIZON from HFJ_PARTITION_HORIZON h where h.PARTITION_ID = 0`,
} as const;
