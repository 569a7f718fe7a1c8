import type { HookRegistry } from '../hooks/registry.js';
import type { Partition, PartitionId } from '../model/partition.js';
import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';
import { LeasedJobs } from './leased-jobs.js';

/** Rows deleted in one transaction: writers wait a few milliseconds at most. */
const BATCH_ROWS = 2_000;

/** What purges work with. */
export interface PartitionPurgeParts {
  readonly storage: Pick<Storage, 'leaseJob' | 'partitions'>;
  readonly hooks: HookRegistry;
  readonly newId: () => string;
  /** Ends what reads the partition in the background, and removes the files that it made. */
  readonly removeExports: (partition: PartitionId) => Promise<void>;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}

/** Kind of the jobs that purge. */
export const PURGE_JOB = 'partition-purge';

/** Deletes everything that a partition holds, job by job, in bounded batches. What is left to do stands in the database. */
export class PartitionPurge {
  readonly kind = PURGE_JOB;
  private readonly jobs: LeasedJobs;

  constructor(private readonly parts: PartitionPurgeParts) {
    this.jobs = new LeasedJobs({
      ...parts,
      kind: this.kind,
      owner: parts.newId(),
      run: (job, isStopped) => this.run(job, isStopped),
    });
  }

  /** Works off unfinished purges that nobody works on; returns at once. */
  wake(): void {
    this.jobs.wake();
  }

  /** Resolves when nothing is being purged. */
  idle(): Promise<void> {
    return this.jobs.idle();
  }

  /** A purge that is stopped goes on when a server starts. */
  stop(): Promise<void> {
    return this.jobs.stop();
  }

  /** What fails stays unfinished: nobody else can empty a partition that is out of service already. */
  private async run(job: StoredJob, isStopped: () => boolean): Promise<void> {
    const { partitions } = this.parts.storage;
    await this.parts.removeExports(job.partition);
    while ((await partitions.purgeSome(job.partition, BATCH_ROWS)) > 0) {
      if (isStopped()) return;
    }
    await this.finish(job);
  }

  private async finish(job: StoredJob): Promise<void> {
    const partition: Partition = { id: job.partition, name: String(job.parameters['name']) };
    const { partitions } = this.parts.storage;
    await partitions.delete(partition, async () => {
      await this.parts.hooks.observe('STORAGE_PARTITION_DELETED', { partition });
    });
    // Whoever had not noticed yet may have written one file more.
    await this.parts.removeExports(job.partition);
    const left = await partitions.contents(job.partition);
    await partitions.saveJob({ ...job, state: 'done', result: { left } });
  }
}
