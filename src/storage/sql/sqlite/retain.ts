import type { PartitionId } from '../../../model/partition.js';
import type { RetainedRows } from '../../placement/home.js';
import type { PartitionedTable } from '../tables.js';
import type { SqliteDatabase } from './open.js';
import type { WriteQueue } from './write-queue.js';

/**
 * Partitioned tables and an indexed key to walk along. Resources go first: what is left behind by a run that was
 * killed is found by nobody, and the next run takes it.
 */
const WALK_KEYS = {
  HFJ_RESOURCE: 'RES_TYPE_ID, FHIR_ID',
  HFJ_RES_VER: 'RES_TYPE_ID, RES_UPDATED, RES_ID',
  HFJ_RES_LINK: 'PARAM_ID, TARGET_RES_ID, TARGET_URL, RES_ID',
  HFJ_RES_SEARCH_URL: 'RES_TYPE_ID, RES_SEARCH_URL',
  HFJ_RES_ID_CLAIM: 'RES_TYPE_ID, FHIR_ID',
  HFJ_SPIDX_TOKEN: 'PARAM_ID, SP_VALUE, SYS_ID, RES_ID',
  HFJ_SPIDX_STRING: 'PARAM_ID, SP_NORM, SP_EXACT, RES_ID',
  HFJ_SPIDX_DATE: 'PARAM_ID, SP_LOW, SP_HIGH, RES_ID',
  HFJ_SPIDX_NUMBER: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_SPIDX_QUANTITY: 'PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, RES_ID',
  HFJ_SPIDX_URI: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_BINARY_CHUNK: 'BLOB_ID, CHUNK_NO',
  HFJ_BINARY_STAGE: 'BLOB_ID',
} as const satisfies Record<PartitionedTable, string>;

const DANGLING = `select count(*) from HFJ_RES_LINK l
  where l.PARTITION_ID = ? and l.TARGET_URL = '' and not exists (
    select 1 from HFJ_RESOURCE r where r.RES_ID = l.TARGET_RES_ID
      and +r.PARTITION_ID in (select PART_ID from HFJ_PARTITION union select 0))`;

/** Rows of which partition, dated before which day (days since 1970). */
interface Expired {
  readonly partition: PartitionId;
  readonly before: number;
}

/** Walks once through every table, at most `limit` rows in each transaction, and tells what each of them deleted. */
export async function* retain(
  queue: WriteQueue,
  expired: Expired,
  limit: number,
): AsyncIterable<RetainedRows> {
  for (const [table, key] of Object.entries(WALK_KEYS)) {
    for (let after: readonly unknown[] = []; ;) {
      const walk = { table, key, after, limit };
      const { deleted, last } = await queue.transaction((db) => deleteStretch(db, expired, walk));
      if (deleted > 0) yield toRetained(table, deleted);
      if (last === undefined) break;
      after = last;
    }
  }
}

/** Links of a partition that lead to no resource of this file. */
export function countDangling(db: SqliteDatabase, partition: PartitionId): number {
  return db.prepare(DANGLING).pluck().get(partition) as number;
}

interface Walk {
  readonly table: string;
  readonly key: string;
  /** The last key that was walked past; empty at the beginning. */
  readonly after: readonly unknown[];
  readonly limit: number;
}

/** Deletes what has expired in the next stretch of the walk; `last` is undefined at the end. */
function deleteStretch(
  db: SqliteDatabase,
  { partition, before }: Expired,
  { table, key, after, limit }: Walk,
): { readonly deleted: number; readonly last: readonly unknown[] | undefined } {
  const places = key.split(',').map(() => '?');
  const above = after.length === 0 ? '' : `and (${key}) > (${places.join(', ')})`;
  const last = db
    .prepare(
      `select ${key} from ${table} where PARTITION_ID = ? ${above} order by ${key} limit 1 offset ${limit - 1}`,
    )
    .raw()
    .get(partition, ...after) as unknown[] | undefined;
  const below = last === undefined ? '' : `and (${key}) <= (${places.join(', ')})`;
  const { changes } = db
    .prepare(`delete from ${table} where PARTITION_ID = ? and PARTITION_DATE < ? ${above} ${below}`)
    .run(partition, before, ...after, ...(last ?? []));
  return { deleted: changes, last };
}

function toRetained(table: string, deleted: number): RetainedRows {
  const none = { resources: 0, versions: 0, indexRows: 0 };
  if (table === 'HFJ_RESOURCE') return { ...none, resources: deleted };
  return table === 'HFJ_RES_VER' ? { ...none, versions: deleted } : { ...none, indexRows: deleted };
}
