import { COUNT_LEASE_MS } from '../usage-count.js';
import { IN_SERVICE, refuse } from './write-sql.js';

/** By the database's clock, since those of servers differ. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

const ROW = 'u.USED_RESOURCES, u.USED_BYTES, u.USED_COUNTED';

/** The SQL of what partitions hold; $1 is the partition. */
export const USAGE_SQL = {
  /**
   * By how much units change it: $2 resources, $3 bytes. Refused where that makes it exceed the limits $4 and $5, or $6 is
   * 1 and what there was before is not counted yet. Answers what it is then. The row is held until the commit.
   */
  add: `with USED as (update HFJ_PARTITION_USAGE u
      set USED_RESOURCES = u.USED_RESOURCES + $2::bigint, USED_BYTES = u.USED_BYTES + $3::bigint
      where u.PARTITION_ID = $1::integer
      returning u.USED_RESOURCES as RESOURCES, u.USED_BYTES as BYTES, u.USED_COUNTED as COUNTED)
    select (select RESOURCES from USED where COUNTED = 1), (select BYTES from USED where COUNTED = 1),
      case when $6::integer = 1 and not exists (select 1 from USED where COUNTED = 1)
        then ${refuse('uncounted', "select ''")} end,
      case when exists (select 1 from USED where RESOURCES > $4::bigint or BYTES > $5::bigint)
        then ${refuse('quota', "select RESOURCES || ',' || BYTES from USED")} end`,
  read: `select ${ROW} from HFJ_PARTITION_USAGE u where u.PARTITION_ID = $1::integer`,
  /** $2 token. No row where another one counts. */
  begin: `insert into HFJ_PARTITION_USAGE as u
      (PARTITION_ID, USED_RESOURCES, USED_BYTES, USED_COUNTED, COUNT_TOKEN, COUNT_SEEN)
    values ($1::integer, 0, 0, 0, $2::text, ${NOW})
    on conflict (PARTITION_ID) do update set COUNT_TOKEN = excluded.COUNT_TOKEN, COUNT_SEEN = excluded.COUNT_SEEN
      where u.PARTITION_ID = $1::integer
        and (u.COUNT_TOKEN is null or u.COUNT_SEEN < excluded.COUNT_SEEN - ${COUNT_LEASE_MS})
    returning ${ROW}, ${IN_SERVICE}`,
  beat: `update HFJ_PARTITION_USAGE u set COUNT_SEEN = ${NOW}
    where u.PARTITION_ID = $1::integer and u.COUNT_TOKEN = $2::text`,
  /** $2 token, $3 resources and $4 bytes that are missing. */
  finish: `update HFJ_PARTITION_USAGE u set USED_RESOURCES = u.USED_RESOURCES + $3::bigint,
      USED_BYTES = u.USED_BYTES + $4::bigint, USED_COUNTED = 1, COUNT_TOKEN = null, COUNT_SEEN = null
    where u.PARTITION_ID = $1::integer and u.COUNT_TOKEN = $2::text`,
  forget: 'delete from HFJ_PARTITION_USAGE u where u.PARTITION_ID = $1::integer',
  bring: `insert into HFJ_PARTITION_USAGE as u (PARTITION_ID, USED_RESOURCES, USED_BYTES, USED_COUNTED)
    values ($1::integer, $2::bigint, $3::bigint, 1)
    on conflict (PARTITION_ID) do update set USED_RESOURCES = excluded.USED_RESOURCES,
      USED_BYTES = excluded.USED_BYTES, USED_COUNTED = 1, COUNT_TOKEN = null, COUNT_SEEN = null
      where u.PARTITION_ID = $1::integer`,
  /** Where nothing is left, that is known for certain, whoever may be counting. */
  empty: `update HFJ_PARTITION_USAGE u set USED_RESOURCES = 0, USED_BYTES = 0, USED_COUNTED = 1, COUNT_TOKEN = null,
    COUNT_SEEN = null where u.PARTITION_ID = $1`,
  /** What there is. The length of a text is told without reading it. */
  count: `select
    (select count(*) from HFJ_RESOURCE r where r.PARTITION_ID = $1::integer and r.RES_DELETED_AT is null),
    (select coalesce(sum(octet_length(r.RES_TEXT)), 0)::bigint from HFJ_RESOURCE r where r.PARTITION_ID = $1::integer)
      + (select coalesce(sum(octet_length(v.RES_TEXT)), 0)::bigint from HFJ_RES_VER v
          where v.PARTITION_ID = $1::integer)
      + (select coalesce(sum(octet_length(c.CHUNK_DATA)), 0)::bigint from HFJ_BINARY_CHUNK c
          where c.PARTITION_ID = $1::integer and not exists (select 1 from HFJ_BINARY_STAGE s
            where s.PARTITION_ID = $1::integer and s.BLOB_ID = c.BLOB_ID))`,
} as const;
