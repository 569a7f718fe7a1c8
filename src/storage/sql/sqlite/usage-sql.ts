import { COUNT_LEASE_MS } from '../usage-count.js';

const OF_PARTITION = 'HFJ_PARTITION_USAGE where PARTITION_ID = @partition';

/** The SQL of what partitions hold; the guard test reads it. */
export const USAGE_SQL = {
  /** By how much units and retentions change it; nothing where nothing is kept. */
  add: `update HFJ_PARTITION_USAGE
    set USED_RESOURCES = USED_RESOURCES + @resources, USED_BYTES = USED_BYTES + @bytes where PARTITION_ID = @partition
    returning USED_RESOURCES, USED_BYTES, USED_COUNTED`,
  read: `select USED_RESOURCES, USED_BYTES, USED_COUNTED from ${OF_PARTITION}`,
  begin: `insert into HFJ_PARTITION_USAGE
    (PARTITION_ID, USED_RESOURCES, USED_BYTES, USED_COUNTED, COUNT_TOKEN, COUNT_SEEN)
    values (@partition, 0, 0, 0, @token, @now)
    on conflict (PARTITION_ID) do update set COUNT_TOKEN = @token, COUNT_SEEN = @now
      where COUNT_TOKEN is null or COUNT_SEEN not between @now - ${COUNT_LEASE_MS} and @now + ${COUNT_LEASE_MS}
    returning USED_RESOURCES, USED_BYTES, USED_COUNTED`,
  beat: `update HFJ_PARTITION_USAGE set COUNT_SEEN = @now where PARTITION_ID = @partition and COUNT_TOKEN = @token`,
  finish: `update HFJ_PARTITION_USAGE set USED_RESOURCES = USED_RESOURCES + @resources,
    USED_BYTES = USED_BYTES + @bytes, USED_COUNTED = 1, COUNT_TOKEN = null, COUNT_SEEN = null
    where PARTITION_ID = @partition and COUNT_TOKEN = @token`,
  forget: `delete from ${OF_PARTITION}`,
  bring: `insert or replace into HFJ_PARTITION_USAGE (PARTITION_ID, USED_RESOURCES, USED_BYTES, USED_COUNTED)
    values (@partition, @resources, @bytes, 1)`,
  /** What there is: four times the partition. */
  count: `select
    (select count(*) from HFJ_RESOURCE r where r.PARTITION_ID = ? and r.RES_DELETED_AT is null),
    (select coalesce(sum(octet_length(r.RES_TEXT)), 0) from HFJ_RESOURCE r where r.PARTITION_ID = ?)
      + (select coalesce(sum(octet_length(v.RES_TEXT)), 0) from HFJ_RES_VER v where v.PARTITION_ID = ?)
      + (select coalesce(sum(octet_length(c.CHUNK_DATA)), 0) from HFJ_BINARY_CHUNK c where c.PARTITION_ID = ?
          and not exists (select 1 from HFJ_BINARY_STAGE s
            where s.PARTITION_ID = c.PARTITION_ID and s.BLOB_ID = c.BLOB_ID))`,
} as const;
