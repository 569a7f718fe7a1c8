import { DEFAULT_PARTITION_ID } from '../../../model/partition.js';
import { FILE_COLUMNS, JOB_COLUMNS } from '../export-job-rows.js';

/** First half of the keys of advisory locks on the jobs of a partition; the second is the partition's id. */
const JOBS_LOCK = 0x42_4b_45_58;

/** By the database's clock, since those of servers differ. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

const columns = (alias: string): string => JOB_COLUMNS.map((name) => `${alias}.${name}`).join(', ');
const FILE_NAMES = FILE_COLUMNS.join(', ');

const ONE = 'j.PARTITION_ID = $1 and j.JOB_ID = $2';
/** $1 partition, $2 job, $3 token. */
const HELD = `${ONE} and j.JOB_TOKEN = $3 and j.JOB_ENDED is null`;
const OPEN_JOB = 'update HFJ_BLK_EXPORT_JOB j set';
const LISTED = 'j.PARTITION_ID = any ($1::integer[])';
const DUE = `j.JOB_ENDED is null and (j.JOB_STATE = 'waiting' and j.JOB_DUE <= CLOCK.AT
  or j.JOB_STATE = 'running' and j.JOB_LEASE < CLOCK.AT)`;
const IS_HELD = 'exists (select 1 from HELD)';

/** Who has the claim keeps it until the transaction ends. */
const LOCKED = `HELD as materialized (select 1 from HFJ_BLK_EXPORT_JOB j where ${HELD} for share)`;
const COUNT_HELD = 'select count(*) from HELD';

/** Parameters $5 to $10. */
const SAVE_FILES = `FILES as (insert into HFJ_BLK_EXPORT_COLFILE (PARTITION_ID, JOB_ID, ${FILE_NAMES})
    select $1::integer, $2::text, f.* from unnest($5::text[], $6::text[], $7::integer[], $8::text[], $9::bigint[],
      $10::bigint[]) f where ${IS_HELD}
    on conflict (PARTITION_ID, JOB_ID, FILE_KIND, RES_TYPE, FILE_PART) do update
      set FILE_KEY = excluded.FILE_KEY, FILE_BYTES = excluded.FILE_BYTES, FILE_LINES = excluded.FILE_LINES)`;

const COUNT_OPEN =
  'select count(*) from HFJ_BLK_EXPORT_JOB j where j.PARTITION_ID = $1::integer and j.JOB_ENDED is null';

/** The SQL of export jobs. What looks at the jobs of several partitions is given their ids. */
export const EXPORT_JOB_SQL = {
  /** Of those who create a job of a partition one counts after the other. */
  lockJobs: `select pg_advisory_xact_lock(${JOBS_LOCK}, $1)`,
  create: `with SERVED as materialized (select case when $1::integer <> ${DEFAULT_PARTITION_ID} and not exists (
        select 1 from HFJ_PARTITION where PART_ID = $1::integer and PART_STATE in ('active', 'placed', 'moving'))
      then BULKHEAD_REFUSE('gone', '') end)
    insert into HFJ_BLK_EXPORT_JOB (PARTITION_ID, JOB_ID, JOB_STATE, JOB_CLIENT, JOB_REQUEST, JOB_CREATED,
      JOB_ATTEMPTS, JOB_TOKEN, JOB_LEASE, JOB_DUE, JOB_WORKED)
    select $1::integer, $2::text, 'waiting', $3::text, $4::text, $5::bigint, 0, 0, 0, 0, $5::bigint from SERVED
    where (${COUNT_OPEN}) < $6`,
  countOpen: COUNT_OPEN,
  find: `select ${columns('j')} from HFJ_BLK_EXPORT_JOB j where ${LISTED} and j.JOB_ID = $2`,
  files: `select ${FILE_NAMES} from HFJ_BLK_EXPORT_COLFILE f
    where f.PARTITION_ID = any ($1::integer[]) and f.JOB_ID = $2 order by f.FILE_KIND, f.RES_TYPE, f.FILE_PART`,
  /** $1 partitions, $2 owner, $3 lease: where fewest are running, and there the one that was worked on longest ago. */
  claim: `with CLOCK as materialized (select ${NOW} as AT),
    RUNNING as materialized (select j.PARTITION_ID, count(*) as JOBS from HFJ_BLK_EXPORT_JOB j, CLOCK
      where ${LISTED} and j.JOB_ENDED is null and j.JOB_STATE = 'running' and j.JOB_LEASE >= CLOCK.AT
      group by j.PARTITION_ID),
    NEXT as materialized (select j.PARTITION_ID, j.JOB_ID from HFJ_BLK_EXPORT_JOB j, CLOCK
      where ${LISTED} and ${DUE} order by coalesce((select r.JOBS from RUNNING r where r.PARTITION_ID = j.PARTITION_ID), 0),
        j.JOB_WORKED, j.JOB_CREATED, j.JOB_ID
      limit 1 for update of j skip locked)
    update HFJ_BLK_EXPORT_JOB j set JOB_STATE = 'running', JOB_TOKEN = j.JOB_TOKEN + 1,
      JOB_ATTEMPTS = j.JOB_ATTEMPTS + 1, JOB_WORKER = $2, JOB_LEASE = ${NOW} + $3::bigint, JOB_WORKED = ${NOW}
    from NEXT where j.PARTITION_ID = NEXT.PARTITION_ID and j.JOB_ID = NEXT.JOB_ID
    returning ${columns('j')}`,
  due: `select 1 from HFJ_BLK_EXPORT_JOB j, (select ${NOW} as AT) CLOCK where ${LISTED} and ${DUE} limit 1`,
  renew: `${OPEN_JOB} JOB_LEASE = ${NOW} + $4::bigint where ${HELD}`,
  saveFrozen: `${OPEN_JOB} JOB_AT = $4, JOB_PROGRESS = $5, JOB_ATTEMPTS = 0 where ${HELD}`,
  clearMatches: `with ${LOCKED}, GONE as (delete from HFJ_BLK_EXPORT_MATCH m
      where m.PARTITION_ID = $1 and m.JOB_ID = $2 and ${IS_HELD}) ${COUNT_HELD}`,
  /** $4 names of lists; $5 and $6: of each resource which of the lists, counted from 1, and its row id. */
  addMatches: `with ${LOCKED}, NEW as (insert into HFJ_BLK_EXPORT_MATCH (PARTITION_ID, JOB_ID, RES_TYPE, RES_ID)
      select $1::integer, $2::text, l.NAME, r.ID from unnest($5::integer[], $6::bigint[]) r (LIST, ID)
        join unnest($4::text[]) with ordinality l (NAME, LIST) on l.LIST = r.LIST where ${IS_HELD}
      on conflict do nothing) ${COUNT_HELD}`,
  matches: `select m.RES_ID from HFJ_BLK_EXPORT_MATCH m
    where m.PARTITION_ID = $1 and m.JOB_ID = $2 and m.RES_TYPE = $3 and m.RES_ID > $4 order by m.RES_ID limit $5`,
  countMatches: `select count(*) from HFJ_BLK_EXPORT_MATCH m
    where m.PARTITION_ID = $1 and m.JOB_ID = $2 and m.RES_TYPE = $3`,
  saveProgress: `with HELD as (${OPEN_JOB} JOB_PROGRESS = $4, JOB_ATTEMPTS = 1 where ${HELD} returning 1),
    ${SAVE_FILES} ${COUNT_HELD}`,
  complete: `with HELD as (${OPEN_JOB} JOB_STATE = 'complete', JOB_PROGRESS = $4, JOB_ENDED = ${NOW}
      where ${HELD} returning 1), ${SAVE_FILES} ${COUNT_HELD}`,
  fail: `${OPEN_JOB} JOB_STATE = 'failed', JOB_ERROR = $4, JOB_ENDED = ${NOW} where ${HELD}`,
  release: `${OPEN_JOB} JOB_STATE = 'waiting', JOB_DUE = $4, JOB_LEASE = 0, JOB_WORKED = ${NOW},
      JOB_TOKEN = j.JOB_TOKEN + 1, JOB_ATTEMPTS = greatest(0, j.JOB_ATTEMPTS - $5::integer)
    where ${HELD}`,
  cancel: `${OPEN_JOB} JOB_STATE = 'cancelled', JOB_ENDED = ${NOW}, JOB_TOKEN = j.JOB_TOKEN + 1
    where ${LISTED} and j.JOB_ID = $2 and j.JOB_ENDED is null`,
  cancelAll: `${OPEN_JOB} JOB_STATE = 'cancelled', JOB_ENDED = ${NOW}, JOB_TOKEN = j.JOB_TOKEN + 1
    where j.PARTITION_ID = $1 and j.JOB_ENDED is null`,
  removable: `select ${columns('j')} from HFJ_BLK_EXPORT_JOB j
    where ${LISTED} and j.JOB_ENDED is not null and (j.JOB_ENDED < $2 or j.JOB_STATE = 'cancelled')
    order by j.JOB_ENDED, j.JOB_ID limit $3`,
  /** Some of its list, where it has ended. */
  removeMatches: `delete from HFJ_BLK_EXPORT_MATCH d where d.PARTITION_ID = $1 and d.JOB_ID = $2 and d.ctid = any (
      array(select m.ctid from HFJ_BLK_EXPORT_MATCH m where m.PARTITION_ID = $1 and m.JOB_ID = $2 limit $3))
    and exists (select 1 from HFJ_BLK_EXPORT_JOB j where ${ONE} and j.JOB_ENDED is not null)`,
  removeJob: `with GONE as (delete from HFJ_BLK_EXPORT_JOB j where ${ONE} and j.JOB_ENDED is not null returning 1)
    delete from HFJ_BLK_EXPORT_COLFILE f where f.PARTITION_ID = $1 and f.JOB_ID = $2 and exists (select 1 from GONE)`,
  ids: `select j.JOB_ID from HFJ_BLK_EXPORT_JOB j where j.PARTITION_ID = $1`,
} as const;
