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
import type { SqliteDatabase } from './open.js';
import { USAGE_SQL } from './usage-sql.js';
import type { WriteQueue } from './write-queue.js';

/** A table that is walked through. */
interface WalkedTable extends OwnedRows {
  /** An indexed key to walk along. */
  readonly key: string;
}

const RESOURCE_IS_THERE = `exists (select 1 from HFJ_RESOURCE r
  where r.RES_ID = t.RES_ID and +r.PARTITION_ID = @partition)`;
const ID_IS_TAKEN = `exists (select 1 from HFJ_RESOURCE r
  where r.PARTITION_ID = @partition and r.RES_TYPE_ID = t.RES_TYPE_ID and r.FHIR_ID = t.FHIR_ID)`;
/** Content that is being sent, or belongs to a version that has come since; those have the latest RES_UPDATED. */
const CONTENT_IS_USED = `(exists (select 1 from HFJ_BINARY_STAGE s
    where s.PARTITION_ID = @partition and s.BLOB_ID = t.BLOB_ID)
  or exists (select 1 from HFJ_RESOURCE r where r.PARTITION_ID = @partition and r.RES_TYPE_ID = @binaryType
    and r.RES_UPDATED >= @since and r.PARTITION_DATE < @before and instr(r.RES_TEXT, t.BLOB_ID) > 0)
  or exists (select 1 from HFJ_RES_VER v where v.PARTITION_ID = @partition and v.RES_TYPE_ID = @binaryType
    and v.RES_UPDATED >= @since and v.PARTITION_DATE < @before and instr(v.RES_TEXT, t.BLOB_ID) > 0))`;

const owned = (key: string): WalkedTable => ({ key, inUse: RESOURCE_IS_THERE });

const WALKED: Readonly<Record<RetainedTable, WalkedTable>> = {
  HFJ_RESOURCE: { key: 'RES_TYPE_ID, FHIR_ID', inUse: 'false' },
  HFJ_RES_VER: owned('RES_TYPE_ID, RES_UPDATED, RES_ID'),
  HFJ_RES_LINK: owned('PARAM_ID, TARGET_RES_ID, TARGET_URL, RES_ID'),
  HFJ_RES_SEARCH_URL: owned('RES_TYPE_ID, RES_SEARCH_URL'),
  HFJ_RES_ID_CLAIM: { key: 'RES_TYPE_ID, FHIR_ID', inUse: ID_IS_TAKEN },
  HFJ_SPIDX_TOKEN: owned('PARAM_ID, SP_VALUE, SYS_ID, RES_ID'),
  HFJ_SPIDX_STRING: owned('PARAM_ID, SP_NORM, SP_EXACT, RES_ID'),
  HFJ_SPIDX_DATE: owned('PARAM_ID, SP_LOW, SP_HIGH, RES_ID'),
  HFJ_SPIDX_NUMBER: owned('PARAM_ID, SP_VALUE, RES_ID'),
  HFJ_SPIDX_QUANTITY: owned('PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, RES_ID'),
  HFJ_SPIDX_URI: owned('PARAM_ID, SP_VALUE, RES_ID'),
  HFJ_SPIDX_COMPOSITE: owned('PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, RES_ID, SP_ELEMENT'),
  HFJ_RES_FULLTEXT: owned('PARAM_ID, RES_ID'),
  HFJ_BINARY_CHUNK: { key: 'BLOB_ID, CHUNK_NO', inUse: CONTENT_IS_USED },
};

const DANGLING = `select count(*) from HFJ_RES_LINK l
  where l.PARTITION_ID = ? and l.TARGET_URL = '' and not exists (
    select 1 from HFJ_RESOURCE r where r.RES_ID = l.TARGET_RES_ID
      and +r.PARTITION_ID in (select PART_ID from HFJ_PARTITION union select 0))`;

const STEPS = retainSteps(WALKED);

/** What a retention is about. */
export interface Expired {
  readonly partition: PartitionId;
  /** Rows dated before this day (days since 1970) have expired. */
  readonly before: number;
  /** RES_TYPE_ID of Binary; -1 where none was ever written. */
  readonly binaryType: number;
}

/** Walks through every table, at most `limit` rows in each transaction, and tells what each of them deleted. */
export async function* retain(
  queue: WriteQueue,
  expired: Expired,
  limit: number,
): AsyncIterable<RetainedRows> {
  const common = { ...expired, since: Date.now() - LONGEST_UPLOAD_MS };
  for (const [table, walked] of STEPS) {
    for (let after: readonly unknown[] = []; ;) {
      const walk = { table, walked, after, limit };
      const { deleted, last } = await queue.transaction((db) => deleteStretch(db, common, walk));
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
  readonly table: RetainedTable;
  readonly walked: WalkedTable;
  /** The last key that was walked past; empty at the beginning. */
  readonly after: readonly unknown[];
  readonly limit: number;
}

/** Deletes what has expired in the next stretch of the walk; `last` is undefined at the end. */
function deleteStretch(
  db: SqliteDatabase,
  common: Expired & { readonly since: number },
  { table, walked: { key, inUse }, after, limit }: Walk,
): { readonly deleted: number; readonly last: readonly unknown[] | undefined } {
  const places = key.split(',').map(() => '?');
  const above = after.length === 0 ? '' : `and (${key}) > (${places.join(', ')})`;
  const last = db
    .prepare(
      `select ${key} from ${table} where PARTITION_ID = ? ${above} order by ${key} limit 1 offset ${limit - 1}`,
    )
    .raw()
    .get(common.partition, ...after) as unknown[] | undefined;
  const below = last === undefined ? '' : `and (${key}) <= (${places.join(', ')})`;
  const sql = `delete from ${table} as t where PARTITION_ID = @partition and PARTITION_DATE < @before
    and not ${inUse} ${above} ${below}`;
  const values = [...after, ...(last ?? [])];
  const held = HELD_BY_ROWS[table];
  if (held === undefined) return { deleted: db.prepare(sql).run(values, common).changes, last };
  const gone = db
    .prepare(`${sql} returning ${held.resources}, ${held.bytes}`)
    .raw()
    .all(values, common) as Gone;
  giveBack(db, common.partition, gone);
  return { deleted: gone.length, last };
}

/** What each row that was deleted stood for. */
type Gone = readonly (readonly [resources: number, bytes: number])[];

/** What is kept of what the partition holds goes with the rows. */
function giveBack(db: SqliteDatabase, partition: PartitionId, gone: Gone): void {
  if (gone.length === 0) return;
  const [resources, bytes] = gone.reduce(([a, b], [c, d]) => [a - c, b - d], [0, 0]);
  db.prepare(USAGE_SQL.add).get({ partition, resources, bytes });
}
