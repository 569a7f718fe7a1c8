import type { PartitionId } from '../../../model/partition.js';
import type { PartitionContents } from '../../store.js';
import { PARTITIONED_TABLES } from '../tables.js';
import type { PgTransaction, PostgresConnections } from './connections.js';

/** The order in which a purge empties tables: resources go last. */
const PURGE_ORDER = [
  ...PARTITIONED_TABLES.filter((table) => table !== 'HFJ_RESOURCE' && table !== 'HFJ_RES_VER'),
  'HFJ_RES_VER',
  'HFJ_RESOURCE',
] as const;

/** Deletes at most `limit` rows of the partition; answers how many went. Zero: nothing is left. */
export async function purgeSome(
  connections: PostgresConnections,
  partition: PartitionId,
  { limit, keep }: { readonly limit: number; readonly keep?: 'id claims' },
): Promise<number> {
  for (const table of PURGE_ORDER) {
    if (keep === 'id claims' && table === 'HFJ_RES_ID_CLAIM') continue;
    const text = `delete from ${table} d where d.PARTITION_ID = $1 and d.ctid = any
      (array(select t.ctid from ${table} t where t.PARTITION_ID = $1 limit $2))`;
    const [result] = await connections.write([partition], [{ text, values: [partition, limit] }]);
    if (result && result.count > 0) return result.count;
  }
  return 0;
}

/** What a partition holds; `run` sees its rows. */
export async function countContents(
  run: PgTransaction['run'],
  partition: PartitionId,
): Promise<PartitionContents> {
  const results = await run(
    PURGE_ORDER.map((table) => ({
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
