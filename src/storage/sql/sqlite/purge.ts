import type { PartitionId } from '../../../model/partition.js';
import type { PartitionContents } from '../../store.js';
import {
  MAIN_TABLES_OF_PARTITION,
  type PartitionedTable,
  RESOURCE_TABLES,
  STAYING_TABLES,
  TABLES_BESIDE_RESOURCES,
} from '../tables.js';
import type { SqliteDatabase } from './open.js';

/** Partitioned tables with their keys, in the order in which a purge empties them: resources go last. */
const PURGE_KEYS = {
  HFJ_BLK_EXPORT_JOB: 'JOB_ID',
  HFJ_BLK_EXPORT_COLFILE: 'JOB_ID, FILE_KIND, RES_TYPE, FILE_PART',
  HFJ_BLK_EXPORT_MATCH: 'JOB_ID, RES_TYPE, RES_ID',
  HFJ_AUTH_CLIENT: 'CLIENT_ID',
  HFJ_AUTH_JTI: 'CLIENT_ID, JTI_HASH',
  HFJ_PARTITION_HORIZON: 'PARTITION_ID',
  HFJ_PARTITION_USAGE: 'PARTITION_ID',
  HFJ_RES_PARAMS: 'RES_TYPE_ID, RES_PARAMS_ID, SP_PARAMS',
  HFJ_SPIDX_TOKEN: 'PARAM_ID, SP_VALUE, SYS_ID, RES_ID',
  HFJ_SPIDX_STRING: 'PARAM_ID, SP_NORM, SP_EXACT, RES_ID',
  HFJ_SPIDX_DATE: 'PARAM_ID, SP_LOW, SP_HIGH, RES_ID',
  HFJ_SPIDX_NUMBER: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_SPIDX_QUANTITY: 'PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, RES_ID',
  HFJ_SPIDX_URI: 'PARAM_ID, SP_VALUE, RES_ID',
  HFJ_SPIDX_COMPOSITE: 'PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, RES_ID, SP_ELEMENT',
  HFJ_RES_FULLTEXT: 'PARAM_ID, RES_ID',
  HFJ_RES_LINK: 'PARAM_ID, TARGET_RES_ID, TARGET_URL, RES_ID',
  HFJ_RES_SEARCH_URL: 'RES_TYPE_ID, RES_SEARCH_URL',
  HFJ_RES_ID_CLAIM: 'RES_TYPE_ID, FHIR_ID',
  HFJ_BINARY_CHUNK: 'BLOB_ID, CHUNK_NO',
  HFJ_BINARY_STAGE: 'BLOB_ID',
  HFJ_RES_VER: 'RES_ID, RES_VER',
  HFJ_RESOURCE: 'RES_ID',
} as const satisfies Record<PartitionedTable, string>;

/** Deletes at most `limit` rows of the partition, of one table; answers how many went. */
export function purgeSome(
  db: SqliteDatabase,
  partition: PartitionId,
  { limit, keep }: { readonly limit: number; readonly keep?: 'what stays' },
): number {
  for (const [table, key] of Object.entries(PURGE_KEYS)) {
    if (keep !== undefined && STAYING_TABLES.has(table)) continue;
    const sql = `delete from ${table} where PARTITION_ID = ? and (${key}) in
      (select ${key} from ${table} where PARTITION_ID = ? limit ?)`;
    const { changes } = db.prepare(sql).run(partition, partition, limit);
    if (changes > 0) return changes;
  }
  return 0;
}

/** Removes what a partition without contents may have: exports, clients, its horizon and usage. */
export function forgetPartition(db: SqliteDatabase, partition: PartitionId): void {
  for (const table of [...MAIN_TABLES_OF_PARTITION, ...TABLES_BESIDE_RESOURCES])
    db.prepare(`delete from ${table} where PARTITION_ID = ?`).run(partition);
}

const HANGING = RESOURCE_TABLES.filter((table) => table !== 'HFJ_RESOURCE' && table !== 'HFJ_RES_VER');

/** How many rows a partition has. */
export function countContents(db: SqliteDatabase, partition: PartitionId): PartitionContents {
  const count = (table: string): number =>
    db.prepare(`select count(*) from ${table} where PARTITION_ID = ?`).pluck().get(partition) as number;
  return {
    resources: count('HFJ_RESOURCE'),
    versions: count('HFJ_RES_VER'),
    indexRows: HANGING.reduce((sum, table) => sum + count(table), 0),
  };
}
