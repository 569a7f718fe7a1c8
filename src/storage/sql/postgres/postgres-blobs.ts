import { FhirError } from '../../../model/errors.js';
import type { PartitionAssignment, PartitionId } from '../../../model/partition.js';
import type { BlobStore, StagedBlob } from '../../blob-store.js';
import { inChunks } from '../blob-chunks.js';
import type { PostgresConnections } from './connections.js';
import type { PgResult, PgStatement } from './statement.js';

/** The SQL of blobs; the guard test reads it. */
export const BLOB_SQL = {
  stage: `insert into HFJ_BINARY_STAGE (PARTITION_ID, PARTITION_DATE, BLOB_ID, STAGED_AT)
    select $1::integer, $2::date, $3, $4::bigint where $1::integer = 0
      or exists (select 1 from HFJ_PARTITION where PART_ID = $1::integer and PART_STATE = 'active')`,
  insertChunk: `insert into HFJ_BINARY_CHUNK (PARTITION_ID, PARTITION_DATE, BLOB_ID, CHUNK_NO, CHUNK_DATA)
    select s.PARTITION_ID, s.PARTITION_DATE, s.BLOB_ID, $3::integer, $4::bytea from HFJ_BINARY_STAGE s
    where s.PARTITION_ID = $1 and s.BLOB_ID = $2 and (s.PARTITION_ID = 0
      or exists (select 1 from HFJ_PARTITION where PART_ID = s.PARTITION_ID and PART_STATE = 'active'))`,
  readChunk: `select CHUNK_DATA from HFJ_BINARY_CHUNK where PARTITION_ID = $1 and BLOB_ID = $2 and CHUNK_NO = $3`,
  deleteChunks: `delete from HFJ_BINARY_CHUNK where PARTITION_ID = $1 and BLOB_ID = $2`,
  unstage: `delete from HFJ_BINARY_STAGE where PARTITION_ID = $1 and BLOB_ID = $2`,
  staged: `select s.PARTITION_ID, s.BLOB_ID from HFJ_BINARY_STAGE s
    where s.PARTITION_ID = any ($1::integer[]) and s.STAGED_AT < $2`,
} as const;

/** Blobs as rows of bounded size in the same database as the resources that they belong to. */
export class PostgresBlobs implements BlobStore {
  constructor(
    private readonly connections: PostgresConnections,
    private readonly options: {
      readonly newId: () => string;
      readonly partitions: () => Promise<readonly PartitionId[]>;
    },
  ) {}

  async stage(assignment: PartitionAssignment, content: AsyncIterable<Buffer>): Promise<StagedBlob> {
    const id = this.options.newId();
    const { partition, date } = assignment;
    await this.insert(partition, statement('stage', [partition, date, id, Date.now()]));
    let size = 0;
    try {
      let number = 0;
      for await (const chunk of inChunks(content)) {
        await this.insert(partition, statement('insertChunk', [partition, id, number++, chunk]));
        size += chunk.length;
      }
      return { partition, id, size };
    } catch (error) {
      await this.discard({ partition, id, size });
      throw error;
    }
  }

  /** A partition that has gone takes no content; one that goes meanwhile takes the staged row with it. */
  private async insert(partition: PartitionId, row: PgStatement): Promise<void> {
    const [result] = await this.connections.write([partition], [row], 'shared');
    if (result?.count === 0) throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
  }

  async discard({ partition, id }: StagedBlob): Promise<void> {
    const rows = [statement('deleteChunks', [partition, id]), statement('unstage', [partition, id])];
    await this.connections.write([partition], rows);
  }

  async *read(partition: PartitionId, id: string, from = 0): AsyncIterable<Buffer> {
    for (let number = from; ; number++) {
      const chunk = firstValue(
        await this.connections.read([partition], [statement('readChunk', [partition, id, number])]),
      );
      if (!(chunk instanceof Buffer)) return;
      yield chunk;
    }
  }

  async sweep(olderThan: number): Promise<number> {
    const partitions = await this.options.partitions();
    const [staged] = await this.connections.read(partitions, [
      statement('staged', [`{${partitions.join(',')}}`, olderThan]),
    ]);
    const rows = (staged?.rows ?? []) as readonly (readonly [PartitionId, string])[];
    for (const [partition, id] of rows) await this.discard({ partition, id, size: 0 });
    return rows.length;
  }
}

function statement(name: keyof typeof BLOB_SQL, values: PgStatement['values']): PgStatement {
  return { name: `blob ${name}`, text: BLOB_SQL[name], values };
}

function firstValue([result]: readonly PgResult[]): unknown {
  return result?.rows[0]?.[0];
}
