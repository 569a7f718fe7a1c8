import type { PartitionAssignment, PartitionId } from '../../model/partition.js';
import type { BlobStore, StagedBlob } from '../blob-store.js';
import { type HomeRouter, isMoving, isNotInService } from './home-router.js';

/** Blobs of all homes: each is in the home of its partition. */
export class PlacedBlobs implements BlobStore {
  /** Milliseconds since 1970; undefined until the first sweep. */
  private sweptBefore: number | undefined;

  constructor(private readonly router: HomeRouter) {}

  /** Content that is under way when its partition is switched to another home cannot be sent twice. */
  stage(assignment: PartitionAssignment, content: AsyncIterable<Buffer>): Promise<StagedBlob> {
    let isBegun = false;
    const watched = async function* (): AsyncIterable<Buffer> {
      isBegun = true;
      yield* content;
    };
    return this.router.write(assignment.partition, ({ blobs }) => {
      if (isBegun) throw isMoving(undefined);
      return blobs.stage(assignment, watched());
    });
  }

  /** What has gone with its home needs no discarding. */
  async discard(blob: StagedBlob): Promise<void> {
    try {
      await this.router.use(blob.partition, ({ blobs }) => blobs.discard(blob));
    } catch (error) {
      if (!isNotInService(error)) throw error;
    }
  }

  read(partition: PartitionId, id: string): AsyncIterable<Buffer> {
    return this.router.stream(partition, ({ blobs }, from) => blobs.read(partition, id, from));
  }

  /** Homes that are closed are swept when they are opened. */
  async sweep(olderThan: number): Promise<number> {
    this.sweptBefore = olderThan;
    return this.router.main.blobs.sweep(olderThan);
  }

  /** Called for each home that is opened. */
  async sweepOpened(blobs: BlobStore): Promise<void> {
    if (this.sweptBefore !== undefined) await blobs.sweep(this.sweptBefore);
  }
}
