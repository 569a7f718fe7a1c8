import type { PartitionId, Placement } from '../model/partition.js';
import type { MoveProgress } from '../storage/placement/partition-mover.js';
import { MOVE_JOB } from '../storage/placement/partition-mover.js';
import type { IndexOf } from '../storage/placement/resource-transfer.js';
import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';
import { whileLeased } from './job-lease.js';

/** What moves work with. */
export interface PartitionMovesParts {
  readonly storage: Pick<Storage, 'mover' | 'leaseJob' | 'partitions'>;
  readonly indexOf: IndexOf;
  readonly newId: () => string;
  /** Called when the directory has changed. */
  readonly onMoved: () => Promise<void>;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}

/**
 * Moves partitions to other homes, job by job. Of all servers and commands on one database one works on a job, as
 * long as it renews its lease; after a kill another goes on.
 */
export class PartitionMoves {
  private readonly owner: string;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly parts: PartitionMovesParts) {
    this.owner = parts.newId();
  }

  /** Starts the move; returns at once. @throws FhirError INVALID_PARTITION, PARTITION_MOVING */
  async start(partition: PartitionId, to: Placement): Promise<StoredJob> {
    const { storage, newId } = this.parts;
    const job = await storage.mover.plan(newId(), partition, to);
    await storage.partitions.saveJob(job);
    this.wake();
    return job;
  }

  /** Works off unfinished moves that nobody works on; returns at once. */
  wake(): void {
    if (this.stopped || this.running) return;
    this.running = this.work().finally(() => {
      this.running = undefined;
    });
  }

  /** A move that is stopped goes on where it was when a server starts. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** Never rejects: what fails is tried again with the next wake. */
  private async work(): Promise<void> {
    let job: StoredJob | undefined;
    try {
      for (job of await this.parts.storage.partitions.jobs()) {
        if (this.stopped) return;
        if (job.kind === MOVE_JOB && job.state === 'running') await this.runLeased(job);
      }
    } catch (error) {
      this.parts.onError(job, error);
    }
  }

  private runLeased(job: StoredJob): Promise<void> {
    const { storage, onError } = this.parts;
    return whileLeased({ storage, owner: this.owner, onError }, job, async (isLost) => {
      try {
        await this.run(job, () => this.stopped || isLost());
      } catch (error) {
        onError(job, error);
      }
    });
  }

  private async run(job: StoredJob, isStopped: () => boolean): Promise<void> {
    const { storage, indexOf, onMoved } = this.parts;
    const save = (progress: MoveProgress, state: StoredJob['state'] = 'running'): Promise<void> =>
      storage.partitions.saveJob({ ...job, state, result: { ...progress } });
    const progress = await storage.mover.run(job, { indexOf, isStopped, save: (reached) => save(reached) });
    await save(progress, progress.phase === 'done' ? 'done' : 'running');
    await onMoved();
  }
}
