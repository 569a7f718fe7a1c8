import type { PartitionId } from '../../../model/partition.js';
import type { PartitionContents } from '../../store.js';
import { EXPORT_TABLES, RESOURCE_TABLES, STAYING_TABLES } from '../tables.js';
import type { PgTransaction, PostgresConnections } from './connections.js';
import type { PgStatement } from './statement.js';

/** In the order in which they are emptied and counted: resources come last. */
const OF_RESOURCES = [
  ...RESOURCE_TABLES.filter((table) => table !== 'HFJ_RESOURCE' && table !== 'HFJ_RES_VER'),
  'HFJ_RES_VER',
  'HFJ_RESOURCE',
] as const;

const PURGE_ORDER = [...EXPORT_TABLES, 'HFJ_PARTITION_HORIZON', ...OF_RESOURCES] as const;

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

/** Remove what a partition without contents may have: exports, and its horizon. */
export function forgetPartition(partition: PartitionId): readonly PgStatement[] {
  return [...EXPORT_TABLES, 'HFJ_PARTITION_HORIZON'].map((table) => ({
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
