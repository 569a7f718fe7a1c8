import type { IndexValues } from '../fhir/index-values.js';
import { parseStored } from '../fhir/json.js';
import type { PartitionId, Placement } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { MoveProgress } from '../storage/placement/partition-mover.js';
import { MOVE_JOB } from '../storage/placement/partition-mover.js';
import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';
import { LeasedJobs } from './leased-jobs.js';
import type { CopyRules } from './renew-copies.js';

/** What moves work with. */
export interface PartitionMovesParts {
  readonly storage: Pick<Storage, 'mover' | 'leaseJob' | 'partitions'>;
  /** By the search parameters in force in the partition, at any time while it moves. */
  readonly indexer: (partition: PartitionId) => Promise<(resource: Resource) => IndexValues>;
  /** What is copied between resources is copied anew in the new place. */
  readonly copies: () => CopyRules;
  readonly newId: () => string;
  /** Called when the directory has changed. */
  readonly onMoved: () => Promise<void>;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}

/** Moves partitions to other homes, job by job. */
export class PartitionMoves {
  readonly kind = MOVE_JOB;
  private readonly jobs: LeasedJobs;

  constructor(private readonly parts: PartitionMovesParts) {
    this.jobs = new LeasedJobs({
      ...parts,
      kind: this.kind,
      owner: parts.newId(),
      run: (job, isStopped) => this.run(job, isStopped),
    });
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
    this.jobs.wake();
  }

  /** A move that is stopped goes on where it was when a server starts. */
  stop(): Promise<void> {
    return this.jobs.stop();
  }

  private async run(job: StoredJob, isStopped: () => boolean): Promise<void> {
    const { storage, onMoved } = this.parts;
    const index = await this.parts.indexer(job.partition);
    const indexOf = (_: string, text: string): IndexValues => index(parseStored(text) as Resource);
    const save = (progress: MoveProgress, state: StoredJob['state'] = 'running'): Promise<void> =>
      storage.partitions.saveJob({ ...job, state, result: { ...progress } });
    const progress = await storage.mover.run(job, {
      indexOf,
      copiedTypes: () => this.parts.copies().targetTypes(),
      isStopped,
      save: (reached) => save(reached),
    });
    await save(progress, progress.phase === 'done' ? 'done' : 'running');
    await onMoved();
  }
}
