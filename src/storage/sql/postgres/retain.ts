import type { PartitionId } from '../../../model/partition.js';
import type { RetainedRows } from '../../placement/home.js';
import {
  HELD_BY_ROWS,
  LONGEST_UPLOAD_MS,
  type OwnedRows,
  type RetainedTable,
  retainSteps,
  toRetained,
} from '../retain-steps.js';
import type { PostgresConnections } from './connections.js';
import type { PartitionLock } from './prologue.js';
import type { PgStatement, PgValue } from './statement.js';

/** A table that is walked through. */
interface WalkedTable extends OwnedRows {
  /** An indexed key to walk along: columns and their types. */
  readonly key: readonly string[];
  /** Whether writers wait, since rows of such a table are handed over from one resource to another; `shared`: who counts waits. */
  readonly lock?: PartitionLock;
}

const RESOURCE_IS_THERE = `exists (select 1 from HFJ_RESOURCE r where r.PARTITION_ID = $1 and r.RES_ID = t.RES_ID)`;
const ID_IS_TAKEN = `exists (select 1 from HFJ_RESOURCE r
  where r.PARTITION_ID = $1 and r.RES_TYPE_ID = t.RES_TYPE_ID and r.FHIR_ID = t.FHIR_ID)`;
/** Content that is being sent, or belongs to a version that has come since; those have the latest RES_UPDATED. */
const CONTENT_IS_USED = `(exists (select 1 from HFJ_BINARY_STAGE s where s.PARTITION_ID = $1 and s.BLOB_ID = t.BLOB_ID)
  or exists (select 1 from HFJ_RESOURCE r where r.PARTITION_ID = $1 and r.RES_TYPE_ID = $3::integer
    and r.RES_UPDATED >= $4::bigint and r.PARTITION_DATE < $2::date and strpos(r.RES_TEXT, t.BLOB_ID) > 0)
  or exists (select 1 from HFJ_RES_VER v where v.PARTITION_ID = $1 and v.RES_TYPE_ID = $3::integer
    and v.RES_UPDATED >= $4::bigint and v.PARTITION_DATE < $2::date and strpos(v.RES_TEXT, t.BLOB_ID) > 0))`;

const owned = (...key: readonly string[]): WalkedTable => ({ key, inUse: RESOURCE_IS_THERE });

const WALKED: Readonly<Record<RetainedTable, WalkedTable>> = {
  HFJ_RESOURCE: { key: ['RES_TYPE_ID integer', 'FHIR_ID text'], inUse: 'false', lock: 'shared' },
  HFJ_RES_VER: { ...owned('RES_TYPE_ID integer', 'RES_UPDATED bigint', 'RES_ID bigint'), lock: 'shared' },
  HFJ_RES_LINK: owned('PARAM_ID integer', 'TARGET_RES_ID bigint', 'TARGET_URL text', 'RES_ID bigint'),
  HFJ_RES_SEARCH_URL: { ...owned('RES_TYPE_ID integer', 'RES_SEARCH_URL text'), lock: 'exclusive' },
  HFJ_RES_ID_CLAIM: { key: ['RES_TYPE_ID integer', 'FHIR_ID text'], inUse: ID_IS_TAKEN, lock: 'exclusive' },
  HFJ_SPIDX_TOKEN: owned('PARAM_ID integer', 'SP_VALUE text', 'SYS_ID integer', 'RES_ID bigint'),
  HFJ_SPIDX_STRING: owned('PARAM_ID integer', 'SP_NORM text', 'RES_ID bigint'),
  HFJ_SPIDX_DATE: owned('PARAM_ID integer', 'SP_LOW bigint', 'SP_HIGH bigint', 'RES_ID bigint'),
  HFJ_SPIDX_NUMBER: owned('PARAM_ID integer', 'SP_VALUE float8', 'RES_ID bigint'),
  HFJ_SPIDX_QUANTITY: owned(
    'PARAM_ID integer',
    'SP_VALUE float8',
    'SYS_ID integer',
    'SP_CODE text',
    'SP_UNIT text',
    'RES_ID bigint',
  ),
  HFJ_SPIDX_URI: owned('PARAM_ID integer', 'SP_VALUE text', 'RES_ID bigint'),
  HFJ_SPIDX_COMPOSITE: owned(
    'PARAM_ID integer',
    'SP_VALUE text',
    'SYS_ID integer',
    'SP_LOW float8',
    'RES_ID bigint',
    'SP_ELEMENT integer',
  ),
  HFJ_RES_FULLTEXT: owned('PARAM_ID integer', 'RES_ID bigint'),
  HFJ_BINARY_CHUNK: { key: ['BLOB_ID text', 'CHUNK_NO integer'], inUse: CONTENT_IS_USED, lock: 'exclusive' },
};

const STEPS = retainSteps(WALKED);

/** What a retention is about. */
export interface Expired {
  readonly partition: PartitionId;
  /** Rows dated before this day (YYYY-MM-DD) have expired. */
  readonly before: string;
  /** RES_TYPE_ID of Binary; -1 where none was ever written. */
  readonly binaryType: number;
}

/** Walks through every table, at most `limit` rows in each transaction, and tells what each of them deleted. */
export async function* retain(
  connections: PostgresConnections,
  { partition, before, binaryType }: Expired,
  limit: number,
): AsyncIterable<RetainedRows> {
  const common = [partition, before, binaryType, Date.now() - LONGEST_UPLOAD_MS];
  for (const [table, walked] of STEPS) {
    for (let after: readonly PgValue[] = []; ;) {
      const walk = { table, walked, after };
      const [end] = await connections.read([partition], [endOfStretch(walk, partition, limit)]);
      const last = (end?.rows[0] ?? null) as readonly PgValue[] | null;
      const statement = deleteStretch(walk, common, last);
      const [result] = await connections.write([partition], [statement], walked.lock);
      const deleted = (result?.rows[0]?.[0] as number | undefined) ?? result?.count ?? 0;
      if (deleted > 0) yield toRetained(table, deleted);
      if (last === null) break;
      after = last;
    }
  }
}

interface Walk {
  readonly table: RetainedTable;
  readonly walked: WalkedTable;
  /** The last key that was walked past; empty at the beginning. */
  readonly after: readonly PgValue[];
}

const nameOf = (column: string): string => `t.${column.split(' ')[0]}`;

/** The key comparison with values from parameter `first` on. */
function compare(key: readonly string[], operator: '>' | '<=', first: number): string {
  const places = key.map((column, index) => `$${first + index}::${column.split(' ')[1]}`);
  return `and (${key.map(nameOf).join(', ')}) ${operator} (${places.join(', ')})`;
}

/** The last key of the next stretch; no row at the end of the table. */
function endOfStretch({ table, walked, after }: Walk, partition: PartitionId, limit: number): PgStatement {
  const above = after.length === 0 ? '' : compare(walked.key, '>', 3);
  const order = walked.key.map(nameOf).join(', ');
  const text = `select ${order} from ${table} t where t.PARTITION_ID = $1 ${above} order by ${order} limit 1 offset $2`;
  return { text, values: [partition, limit - 1, ...after] };
}

/** `common`: $1 to $4. */
function deleteStretch(
  { table, walked, after }: Walk,
  common: readonly PgValue[],
  last: readonly PgValue[] | null,
): PgStatement {
  const first = common.length + 1;
  const above = after.length === 0 ? '' : compare(walked.key, '>', first);
  const below = last === null ? '' : compare(walked.key, '<=', first + after.length);
  const text = `delete from ${table} t where t.PARTITION_ID = $1 and t.PARTITION_DATE < $2::date
    and $3::integer is not null and $4::bigint is not null and not ${walked.inUse} ${above} ${below}`;
  const held = HELD_BY_ROWS[table];
  const values = [...common, ...after, ...(last ?? [])];
  return {
    text: held === undefined ? text : givingBack(`${text} returning ${held.resources}, ${held.bytes}`),
    values,
  };
}

/** What is kept of what the partition holds goes with the rows; answers how many went. */
function givingBack(text: string): string {
  return `with GONE (RESOURCES, BYTES) as (${text}),
    HELD as (select sum(RESOURCES) as RESOURCES, sum(BYTES) as BYTES from GONE),
    USED as (update HFJ_PARTITION_USAGE u
      set USED_RESOURCES = u.USED_RESOURCES - HELD.RESOURCES, USED_BYTES = u.USED_BYTES - HELD.BYTES from HELD
      where u.PARTITION_ID = $1 and HELD.BYTES is not null)
    select count(*) from GONE`;
}
