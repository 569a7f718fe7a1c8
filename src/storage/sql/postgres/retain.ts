import type { PartitionId } from '../../../model/partition.js';
import type { RetainedRows } from '../../placement/home.js';
import type { PartitionedTable } from '../tables.js';
import type { PostgresConnections } from './connections.js';
import type { PgStatement, PgValue } from './statement.js';

/**
 * Partitioned tables and an indexed key to walk along. Resources go first: what is left behind by a run that was
 * killed is found by nobody, and the next run takes it.
 */
const WALK_KEYS = {
  HFJ_RESOURCE: ['RES_TYPE_ID integer', 'FHIR_ID text'],
  HFJ_RES_VER: ['RES_TYPE_ID integer', 'RES_UPDATED bigint', 'RES_ID bigint'],
  HFJ_RES_LINK: ['PARAM_ID integer', 'TARGET_RES_ID bigint', 'TARGET_URL text', 'RES_ID bigint'],
  HFJ_RES_SEARCH_URL: ['RES_TYPE_ID integer', 'RES_SEARCH_URL text'],
  HFJ_RES_ID_CLAIM: ['RES_TYPE_ID integer', 'FHIR_ID text'],
  HFJ_SPIDX_TOKEN: ['PARAM_ID integer', 'SP_VALUE text', 'SYS_ID integer', 'RES_ID bigint'],
  HFJ_SPIDX_STRING: ['PARAM_ID integer', 'SP_NORM text', 'RES_ID bigint'],
  HFJ_SPIDX_DATE: ['PARAM_ID integer', 'SP_LOW bigint', 'SP_HIGH bigint', 'RES_ID bigint'],
  HFJ_SPIDX_NUMBER: ['PARAM_ID integer', 'SP_VALUE float8', 'RES_ID bigint'],
  HFJ_SPIDX_QUANTITY: [
    'PARAM_ID integer',
    'SP_VALUE float8',
    'SYS_ID integer',
    'SP_CODE text',
    'SP_UNIT text',
    'RES_ID bigint',
  ],
  HFJ_SPIDX_URI: ['PARAM_ID integer', 'SP_VALUE text', 'RES_ID bigint'],
  HFJ_BINARY_CHUNK: ['BLOB_ID text', 'CHUNK_NO integer'],
  HFJ_BINARY_STAGE: ['BLOB_ID text'],
} as const satisfies Record<PartitionedTable, readonly string[]>;

/** Rows of which partition, dated before which day (YYYY-MM-DD). */
interface Expired {
  readonly partition: PartitionId;
  readonly before: string;
}

/** Walks once through every table, at most `limit` rows in each transaction, and tells what each of them deleted. */
export async function* retain(
  connections: PostgresConnections,
  expired: Expired,
  limit: number,
): AsyncIterable<RetainedRows> {
  for (const [table, key] of Object.entries(WALK_KEYS)) {
    for (let after: readonly PgValue[] = []; ;) {
      const [end] = await connections.read(
        [expired.partition],
        [endOfStretch({ table, key, after }, expired, limit)],
      );
      const last = (end?.rows[0] ?? null) as readonly PgValue[] | null;
      const [result] = await connections.write(
        [expired.partition],
        [deleteStretch({ table, key, after }, expired, last)],
      );
      if (result && result.count > 0) yield toRetained(table, result.count);
      if (last === null) break;
      after = last;
    }
  }
}

interface Walk {
  readonly table: string;
  /** Columns and their types. */
  readonly key: readonly string[];
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
function endOfStretch({ table, key, after }: Walk, { partition }: Expired, limit: number): PgStatement {
  const above = after.length === 0 ? '' : compare(key, '>', 3);
  const order = key.map(nameOf).join(', ');
  const text = `select ${order} from ${table} t where t.PARTITION_ID = $1 ${above} order by ${order} limit 1 offset $2`;
  return { text, values: [partition, limit - 1, ...after] };
}

function deleteStretch(
  { table, key, after }: Walk,
  { partition, before }: Expired,
  last: readonly PgValue[] | null,
): PgStatement {
  const above = after.length === 0 ? '' : compare(key, '>', 3);
  const below = last === null ? '' : compare(key, '<=', 3 + after.length);
  const text = `delete from ${table} t where t.PARTITION_ID = $1 and t.PARTITION_DATE < $2::date ${above} ${below}`;
  return { text, values: [partition, before, ...after, ...(last ?? [])] };
}

function toRetained(table: string, deleted: number): RetainedRows {
  const none = { resources: 0, versions: 0, indexRows: 0 };
  if (table === 'HFJ_RESOURCE') return { ...none, resources: deleted };
  return table === 'HFJ_RES_VER' ? { ...none, versions: deleted } : { ...none, indexRows: deleted };
}
