import { MOST_REFERRERS, type PartitionCopies } from '../copies.js';
import { float8Array, int4Array, int8Array } from './binary-array.js';
import type { PgStatement } from './statement.js';
import { IN_SERVICE } from './write-sql.js';

const COLUMNS =
  'PARTITION_ID, PARTITION_DATE, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, SP_ELEMENT, RES_ID';

const SAME = `t.PARTITION_ID = $1::integer and t.RES_ID = w.RES_ID and t.PARAM_ID = w.COPY
  and t.SP_VALUE = w.SP_VALUE and t.SYS_ID = w.SYS_ID and t.SP_UNIT = w.SP_UNIT`;

/**
 * The SQL of copies; the guard test reads it. $2 to $6 are rules, $7 the owners of copies, $8 to $10 targets whose values
 * have changed: their referrers are owners too, as long as they are $11 at most. Index walks by the resource: the keys
 * by values are of no use, however the planner may count. "not in" compares by a hash table, "not exists" would not.
 */
export const COPY_SQL = {
  write: `with RULE as materialized (
      select * from unnest($2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
        r (LINK, TYPE, SOURCE, COPY, STALE)),
    COUNTED as materialized (
      select c.ID, c.TYPE, c.MARK, (select count(*) from (
        select 1 from (select distinct r.LINK from RULE r where r.TYPE = c.TYPE) q
          join HFJ_RES_LINK l on l.PARTITION_ID = $1::integer and l.PARAM_ID = q.LINK and l.TARGET_RES_ID = c.ID
        limit $11::integer + 1) x) as REFERRERS
      from unnest($8::bigint[], $9::integer[], $10::float8[]) c (ID, TYPE, MARK)),
    CHANGED as materialized (
      select c.ID, c.TYPE, c.MARK, sum(c.REFERRERS) over (order by c.REFERRERS, c.ID) > $11::integer as IS_STALE
      from COUNTED c),
    OWNER as materialized (
      select o.ID from unnest($7::bigint[]) o (ID)
      union
      select l.RES_ID from CHANGED c join RULE r on r.TYPE = c.TYPE
        join HFJ_RES_LINK l on l.PARTITION_ID = $1::integer and l.PARAM_ID = r.LINK and l.TARGET_RES_ID = c.ID
      where not c.IS_STALE),
    WANTED as materialized (
      select distinct r.COPY, v.SP_VALUE, v.SYS_ID, v.SP_UNIT, l.RES_ID, l.PARTITION_DATE
      from OWNER o
      join HFJ_RES_LINK l on l.PARTITION_ID = $1::integer and l.RES_ID = o.ID
      join RULE r on r.LINK = l.PARAM_ID + 0 and r.TYPE = l.TARGET_TYPE_ID
      join HFJ_SPIDX_COMPOSITE v
        on v.PARTITION_ID = $1::integer and v.RES_ID = l.TARGET_RES_ID and v.PARAM_ID + 0 = r.SOURCE),
    OLD as (delete from HFJ_SPIDX_COMPOSITE t using OWNER o, (select distinct COPY from RULE) q
      where t.PARTITION_ID = $1::integer and t.RES_ID = o.ID and t.PARAM_ID + 0 = q.COPY
        and (t.RES_ID, t.PARAM_ID, t.SP_VALUE, t.SYS_ID, t.SP_UNIT)
          not in (select w.RES_ID, w.COPY, w.SP_VALUE, w.SYS_ID, w.SP_UNIT from WANTED w)),
    NEW as (insert into HFJ_SPIDX_COMPOSITE (${COLUMNS})
      select $1::integer, w.PARTITION_DATE, w.COPY, w.SP_VALUE, w.SYS_ID, 0, w.SP_UNIT, 0, w.RES_ID from WANTED w
      where not exists (select 1 from HFJ_SPIDX_COMPOSITE t where ${SAME}) returning 1),
    MARKED as (insert into HFJ_SPIDX_COMPOSITE (${COLUMNS})
      select $1::integer, null, s.STALE, '', 0, c.MARK, '', 0, c.ID
      from CHANGED c join (select distinct TYPE, STALE from RULE) s on s.TYPE = c.TYPE
      where c.IS_STALE)
    select (select count(*) from NEW), ${IN_SERVICE}`,
  stale: `select t.PARAM_ID, t.RES_ID, t.SP_LOW from HFJ_SPIDX_COMPOSITE t
    where t.PARTITION_ID = $1::integer and t.PARAM_ID = any ($2::integer[]) limit $3::integer`,
  doubt: `insert into HFJ_SPIDX_COMPOSITE (${COLUMNS})
    select $1::integer, null, s.PARAM, '', 0, s.MARK, '', 0, s.ID
    from unnest($2::integer[], $3::bigint[], $4::float8[]) s (PARAM, ID, MARK)`,
  settle: `delete from HFJ_SPIDX_COMPOSITE t using unnest($2::integer[], $3::bigint[], $4::float8[]) s (PARAM, ID, MARK)
    where t.PARTITION_ID = $1::integer and t.PARAM_ID = s.PARAM and t.RES_ID = s.ID and t.SP_LOW = s.MARK`,
  drop: `delete from HFJ_SPIDX_COMPOSITE d where d.PARTITION_ID = $1::integer and d.ctid = any
    (array(select t.ctid from HFJ_SPIDX_COMPOSITE t
      where t.PARTITION_ID = $1::integer and t.PARAM_ID = any ($2::integer[]) limit $3::integer))`,
} as const;

/** Gives the owners of copies, and those that refer to what has changed, the values that there are now. */
export function copyStatement({ partition, rules, owners, changed }: PartitionCopies): PgStatement {
  return {
    name: 'copies',
    text: COPY_SQL.write,
    values: [
      partition,
      int4Array(rules.map(({ link }) => link)),
      int4Array(rules.map(({ targetType }) => targetType)),
      int4Array(rules.map(({ source }) => source)),
      int4Array(rules.map(({ copy }) => copy)),
      int4Array(rules.map(({ stale }) => stale)),
      int8Array(owners),
      int8Array(changed.map(({ rowId }) => rowId)),
      int4Array(changed.map(({ typeId }) => typeId)),
      float8Array(changed.map(({ mark }) => mark)),
      MOST_REFERRERS,
    ],
  };
}
