import { FhirError } from '../../../model/errors.js';
import type { PartitionAssignment, PartitionId } from '../../../model/partition.js';
import type { BlobStore, StagedBlob } from '../../blob-store.js';
import { toStoredDate } from '../../partition-date.js';
import { inChunks } from '../blob-chunks.js';
import type { SqliteDatabase } from './open.js';
import type { WriteQueue } from './write-queue.js';

/** The SQL of blobs; the guard test reads it. */
export const BLOB_SQL = {
  stage: `insert into HFJ_BINARY_STAGE (PARTITION_ID, PARTITION_DATE, BLOB_ID, STAGED_AT)
    select @partition, @date, @id, @now where @partition = 0
      or exists (select 1 from HFJ_PARTITION where PART_ID = @partition and PART_STATE = 'active')`,
  insertChunk: `insert into HFJ_BINARY_CHUNK (PARTITION_ID, PARTITION_DATE, BLOB_ID, CHUNK_NO, CHUNK_DATA)
    select PARTITION_ID, PARTITION_DATE, BLOB_ID, @number, @chunk from HFJ_BINARY_STAGE
    where PARTITION_ID = @partition and BLOB_ID = @id and (@partition = 0
      or exists (select 1 from HFJ_PARTITION where PART_ID = @partition and PART_STATE = 'active'))`,
  readChunk: `select CHUNK_DATA from HFJ_BINARY_CHUNK where PARTITION_ID = ? and BLOB_ID = ? and CHUNK_NO = ?`,
  deleteChunks: `delete from HFJ_BINARY_CHUNK where PARTITION_ID = ? and BLOB_ID = ?`,
  unstage: `delete from HFJ_BINARY_STAGE where PARTITION_ID = ? and BLOB_ID = ?`,
  staged: `select PARTITION_ID, BLOB_ID from HFJ_BINARY_STAGE
    where PARTITION_ID in (select PART_ID from HFJ_PARTITION union select 0) and STAGED_AT < ?`,
} as const;

/** Blobs as rows of bounded size in the same database as the resources that they belong to. */
export class SqliteBlobs implements BlobStore {
  constructor(
    private readonly reader: SqliteDatabase,
    private readonly queue: WriteQueue,
    private readonly newId: () => string,
  ) {}

  async stage(assignment: PartitionAssignment, content: AsyncIterable<Buffer>): Promise<StagedBlob> {
    const id = this.newId();
    const { partition } = assignment;
    const date = toStoredDate(assignment.date);
    await this.insert(BLOB_SQL.stage, { partition, date, id, now: Date.now() });
    let size = 0;
    try {
      let number = 0;
      for await (const chunk of inChunks(content)) {
        await this.insert(BLOB_SQL.insertChunk, { partition, id, number: number++, chunk });
        size += chunk.length;
      }
      return { partition, id, size };
    } catch (error) {
      await this.discard({ partition, id, size });
      throw error;
    }
  }

  /** A partition that has gone takes no content; one that goes meanwhile takes the staged row with it. */
  private async insert(sql: string, row: Readonly<Record<string, unknown>>): Promise<void> {
    const { changes } = await this.queue.transaction((db) => db.prepare(sql).run(row));
    if (changes === 0) throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
  }

  discard({ partition, id }: StagedBlob): Promise<void> {
    return this.queue.transaction((db) => {
      db.prepare(BLOB_SQL.deleteChunks).run(partition, id);
      db.prepare(BLOB_SQL.unstage).run(partition, id);
    });
  }

  async *read(partition: PartitionId, id: string, from = 0): AsyncIterable<Buffer> {
    const statement = this.reader.prepare(BLOB_SQL.readChunk).pluck();
    for (let number = from; ; number++) {
      const chunk = statement.get(partition, id, number) as Buffer | undefined;
      if (!chunk) return;
      yield chunk;
    }
  }

  async sweep(olderThan: number): Promise<number> {
    const staged = this.reader.prepare(BLOB_SQL.staged).raw().all(olderThan) as [PartitionId, string][];
    for (const [partition, id] of staged) await this.discard({ partition, id, size: 0 });
    return staged.length;
  }
}
