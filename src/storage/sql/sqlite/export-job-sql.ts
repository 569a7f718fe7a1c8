import { DEFAULT_PARTITION_ID } from '../../../model/partition.js';
import { FILE_COLUMNS, JOB_COLUMNS } from '../export-job-rows.js';

const columns = (alias: string): string => JOB_COLUMNS.map((name) => `${alias}.${name}`).join(', ');
const FILE_NAMES = FILE_COLUMNS.join(', ');

const IN_SERVICE = `(select PART_ID from HFJ_PARTITION where PART_STATE in ('active', 'placed', 'moving')
  union select ${DEFAULT_PARTITION_ID})`;
const ANYWHERE = `(select PART_ID from HFJ_PARTITION union select ${DEFAULT_PARTITION_ID})`;

const ONE = 'j.PARTITION_ID = @partition and j.JOB_ID = @id';
const HELD = `${ONE} and j.JOB_TOKEN = @token and j.JOB_ENDED is null`;
const OPEN_JOB = 'update HFJ_BLK_EXPORT_JOB as j set';
const MATCHES = 'm.PARTITION_ID = @partition and m.JOB_ID = @id';

/** The SQL of export jobs. Claims look at the partitions that are in service. */
export const EXPORT_JOB_SQL = {
  isInService: `select 1 where @partition in ${IN_SERVICE}`,
  countOpen: `select count(*) from HFJ_BLK_EXPORT_JOB j where j.PARTITION_ID = @partition and j.JOB_ENDED is null`,
  create: `insert into HFJ_BLK_EXPORT_JOB (PARTITION_ID, JOB_ID, JOB_STATE, JOB_CLIENT, JOB_REQUEST, JOB_CREATED,
      JOB_ATTEMPTS, JOB_TOKEN, JOB_LEASE, JOB_DUE, JOB_WORKED)
    values (@partition, @id, 'waiting', @owner, @request, @created, 0, 0, 0, 0, @created)`,
  find: `select ${columns('j')} from HFJ_BLK_EXPORT_JOB j
    where j.PARTITION_ID in (select value from json_each(@partitions)) and j.JOB_ID = @id`,
  files: `select ${FILE_NAMES} from HFJ_BLK_EXPORT_COLFILE f
    where f.PARTITION_ID in (select value from json_each(@partitions)) and f.JOB_ID = @id
    order by f.FILE_KIND, f.RES_TYPE, f.FILE_PART`,
  /** Where fewest are running, and there the one that was worked on longest ago. */
  nextDue: `select j.PARTITION_ID, j.JOB_ID from HFJ_BLK_EXPORT_JOB j
    where j.PARTITION_ID in ${IN_SERVICE} and j.JOB_ENDED is null
      and (j.JOB_STATE = 'waiting' and j.JOB_DUE <= @now or j.JOB_STATE = 'running' and j.JOB_LEASE < @now)
    order by (select count(*) from HFJ_BLK_EXPORT_JOB o where o.PARTITION_ID = j.PARTITION_ID
        and o.JOB_ENDED is null and o.JOB_STATE = 'running' and o.JOB_LEASE >= @now),
      j.JOB_WORKED, j.JOB_CREATED, j.JOB_ID limit 1`,
  claim: `${OPEN_JOB} JOB_STATE = 'running', JOB_TOKEN = JOB_TOKEN + 1, JOB_ATTEMPTS = JOB_ATTEMPTS + 1,
      JOB_WORKER = @owner, JOB_LEASE = @until, JOB_WORKED = @now
    where ${ONE}`,
  one: `select ${columns('j')} from HFJ_BLK_EXPORT_JOB j where ${ONE}`,
  isHeld: `select 1 from HFJ_BLK_EXPORT_JOB j where ${HELD}`,
  renew: `${OPEN_JOB} JOB_LEASE = @until where ${HELD}`,
  saveFrozen: `${OPEN_JOB} JOB_AT = @at, JOB_PROGRESS = @progress, JOB_ATTEMPTS = 0 where ${HELD}`,
  saveProgress: `${OPEN_JOB} JOB_PROGRESS = @progress, JOB_ATTEMPTS = 1 where ${HELD}`,
  saveFile: `insert or replace into HFJ_BLK_EXPORT_COLFILE (PARTITION_ID, JOB_ID, ${FILE_NAMES})
    values (@partition, @id, @kind, @type, @part, @key, @bytes, @count)`,
  release: `${OPEN_JOB} JOB_STATE = 'waiting', JOB_DUE = @due, JOB_LEASE = 0, JOB_WORKED = @now,
      JOB_TOKEN = JOB_TOKEN + 1, JOB_ATTEMPTS = max(0, JOB_ATTEMPTS - @takenBack)
    where ${HELD}`,
  complete: `${OPEN_JOB} JOB_STATE = 'complete', JOB_PROGRESS = @progress, JOB_ENDED = @now where ${HELD}`,
  fail: `${OPEN_JOB} JOB_STATE = 'failed', JOB_ERROR = @error, JOB_ENDED = @now where ${HELD}`,
  cancel: `${OPEN_JOB} JOB_STATE = 'cancelled', JOB_ENDED = @now, JOB_TOKEN = JOB_TOKEN + 1
    where j.PARTITION_ID in (select value from json_each(@partitions)) and j.JOB_ID = @id and j.JOB_ENDED is null`,
  cancelAll: `${OPEN_JOB} JOB_STATE = 'cancelled', JOB_ENDED = @now, JOB_TOKEN = JOB_TOKEN + 1
    where j.PARTITION_ID = @partition and j.JOB_ENDED is null`,
  removable: `select ${columns('j')} from HFJ_BLK_EXPORT_JOB j
    where j.PARTITION_ID in ${ANYWHERE} and j.JOB_ENDED is not null
      and (j.JOB_ENDED < @before or j.JOB_STATE = 'cancelled')
    order by j.JOB_ENDED, j.JOB_ID limit @limit`,
  ids: `select j.JOB_ID from HFJ_BLK_EXPORT_JOB j where j.PARTITION_ID = @partition`,
  /** @lists: pairs of the name of a list and of row ids. */
  addMatches: `insert or ignore into HFJ_BLK_EXPORT_MATCH (PARTITION_ID, JOB_ID, RES_TYPE, RES_ID)
    select @partition, @id, l.value ->> 0, r.value
    from json_each(@lists) l cross join json_each(l.value, '$[1]') r`,
  matches: `select m.RES_ID from HFJ_BLK_EXPORT_MATCH m
    where ${MATCHES} and m.RES_TYPE = @type and m.RES_ID > @after order by m.RES_ID limit @limit`,
  countMatches: `select count(*) from HFJ_BLK_EXPORT_MATCH m where ${MATCHES} and m.RES_TYPE = @type`,
  clearMatches: `delete from HFJ_BLK_EXPORT_MATCH as m where ${MATCHES}`,
  removeMatches: `delete from HFJ_BLK_EXPORT_MATCH as m where ${MATCHES} and (m.RES_TYPE, m.RES_ID) in
    (select o.RES_TYPE, o.RES_ID from HFJ_BLK_EXPORT_MATCH o where o.PARTITION_ID = @partition and o.JOB_ID = @id
      limit @limit)`,
  removeFiles: `delete from HFJ_BLK_EXPORT_COLFILE as f where f.PARTITION_ID = @partition and f.JOB_ID = @id`,
  removeJob: `delete from HFJ_BLK_EXPORT_JOB as j where ${ONE}`,
  hasEnded: `select 1 from HFJ_BLK_EXPORT_JOB j where ${ONE} and j.JOB_ENDED is not null`,
} as const;
