import type { HookRegistry } from '../hooks/registry.js';
import type { Partition } from '../model/partition.js';
import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';
import { whileLeased } from './job-lease.js';

/** Rows deleted in one transaction: writers wait a few milliseconds at most. */
const BATCH_ROWS = 2_000;

/** What purges work with. */
export interface PartitionPurgeParts {
  readonly storage: Pick<Storage, 'leaseJob' | 'partitions'>;
  readonly hooks: HookRegistry;
  readonly newId: () => string;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}

/**
 * Deletes everything that a partition holds, job by job, in bounded batches. What is left to do stands in the
 * database: of all servers on it one works on a job, and after a kill another goes on.
 */
export class PartitionPurge {
  private readonly owner: string;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(private readonly parts: PartitionPurgeParts) {
    this.owner = parts.newId();
  }

  /** Works off unfinished jobs that nobody works on; returns at once. */
  wake(): void {
    if (this.stopped) return;
    this.again = true;
    this.running ??= this.work().finally(() => {
      this.running = undefined;
      if (this.again && !this.stopped) this.wake();
    });
  }

  /** Resolves when nothing is being purged. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.idle();
  }

  /** Never rejects: what fails is tried again with the next wake. */
  private async work(): Promise<void> {
    this.again = false;
    let job: StoredJob | undefined;
    try {
      for (job of await this.parts.storage.partitions.jobs()) {
        if (this.stopped) return;
        if (job.kind === 'partition-purge' && job.state === 'running') await this.runLeased(job);
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
        // The job stays unfinished: nobody else can empty a partition that is out of service already.
        onError(job, error);
      }
    });
  }

  private async run(job: StoredJob, isStopped: () => boolean): Promise<void> {
    const { partitions } = this.parts.storage;
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
    const left = await partitions.contents(job.partition);
    await partitions.saveJob({ ...job, state: 'done', result: { left } });
  }
}
