import type { PartitionId } from '../../../model/partition.js';
import type { PartitionContents } from '../../store.js';
import {
  MAIN_TABLES_OF_PARTITION,
  RESOURCE_TABLES,
  STAYING_TABLES,
  TABLES_BESIDE_RESOURCES,
} from '../tables.js';
import type { PgTransaction, PostgresConnections } from './connections.js';
import type { PgStatement } from './statement.js';

/** In the order in which they are emptied and counted: resources come last. */
const OF_RESOURCES = [
  ...RESOURCE_TABLES.filter((table) => table !== 'HFJ_RESOURCE' && table !== 'HFJ_RES_VER'),
  'HFJ_RES_VER',
  'HFJ_RESOURCE',
] as const;

const PURGE_ORDER = [...MAIN_TABLES_OF_PARTITION, ...TABLES_BESIDE_RESOURCES, ...OF_RESOURCES] as const;

/** Deletes at most `limit` rows of the partition; answers how many went. Zero: nothing is left. */
export async function purgeSome(
  connections: PostgresConnections,
  partition: PartitionId,
  { limit, keep }: { readonly limit: number; readonly keep?: 'what stays' },
): Promise<number> {
  for (const table of PURGE_ORDER) {
    if (keep !== undefined && STAYING_TABLES.has(table)) continue;
    const text = `delete from ${table} d where d.PARTITION_ID = $1 and d.ctid = any
      (array(select t.ctid from ${table} t where t.PARTITION_ID = $1 limit $2))`;
    const [result] = await connections.write([partition], [{ text, values: [partition, limit] }]);
    if (result && result.count > 0) return result.count;
  }
  return 0;
}

/** Remove what a partition without contents may have: exports, clients, its horizon and usage. */
export function forgetPartition(partition: PartitionId): readonly PgStatement[] {
  return [...MAIN_TABLES_OF_PARTITION, ...TABLES_BESIDE_RESOURCES].map((table) => ({
    text: `delete from ${table} t where t.PARTITION_ID = $1`,
    values: [partition],
  }));
}

/** What a partition holds; `run` sees its rows. */
export async function countContents(
  run: PgTransaction['run'],
  partition: PartitionId,
): Promise<PartitionContents> {
  const results = await run(
    OF_RESOURCES.map((table) => ({
      text: `select count(*) from ${table} t where t.PARTITION_ID = $1`,
      values: [partition],
    })),
  );
  const counts = results.map((result) => result.rows[0]?.[0] as number);
  return {
    resources: counts.at(-1) ?? 0,
    versions: counts.at(-2) ?? 0,
    indexRows: counts.slice(0, -2).reduce((sum, count) => sum + count, 0),
  };
}
