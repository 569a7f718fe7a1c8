import type { PartitionAssignment, PartitionId } from '../model/partition.js';

/** Content that is too large for a resource's text, in pieces of bounded size. */
export interface BlobStore {
  /**
   * Stores the content under a new id, piece by piece; answers the id. Until a WriteUnit attaches it, it is staged:
   * a staged blob that nobody attached is removed when the server starts again.
   */
  stage(assignment: PartitionAssignment, content: AsyncIterable<Buffer>): Promise<StagedBlob>;
  /** Removes what was staged for a write that did not come to be. */
  discard(blob: StagedBlob): Promise<void>;
  /** The pieces in order, without the first `from`; nothing for an id of another partition. */
  read(partition: PartitionId, id: string, from?: number): AsyncIterable<Buffer>;
  /** Removes blobs that were staged before `olderThan` (ms) and never attached; answers how many. */
  sweep(olderThan: number): Promise<number>;
}

/** A stored blob that no resource refers to yet. */
export interface StagedBlob {
  readonly partition: PartitionId;
  readonly id: string;
  /** Bytes. */
  readonly size: number;
}
