import type { HookRegistry } from '../hooks/registry.js';
import type { Partition } from '../model/partition.js';
import type { PartitionRegistry, StoredJob } from '../storage/store.js';

/** How long a purge that failed waits before it goes on. */
const RETRY_MS = 30_000;

/** Rows deleted in one transaction: writers wait a few milliseconds at most. */
const BATCH_ROWS = 2_000;

/**
 * Deletes everything that a partition holds, job by job, in bounded batches. What is left to do stands in the
 * database, so that a killed server goes on where it was when it is started again.
 */
export class PartitionPurge {
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(
    private readonly registry: PartitionRegistry,
    private readonly hooks: HookRegistry,
    private readonly onError: (job: StoredJob, error: unknown) => void,
  ) {}

  /** Works off all unfinished jobs; returns at once. */
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

  private async work(): Promise<void> {
    this.again = false;
    const jobs = await this.registry.jobs();
    for (const job of jobs) {
      if (this.stopped) return;
      if (job.kind === 'partition-purge' && job.state === 'running') await this.run(job);
    }
  }

  private async run(job: StoredJob): Promise<void> {
    try {
      while ((await this.registry.purgeSome(job.partition, BATCH_ROWS)) > 0) {
        if (this.stopped) return;
      }
      await this.finish(job);
    } catch (error) {
      // The job stays unfinished: nobody else can empty a partition that is out of service already.
      this.onError(job, error);
      setTimeout(() => this.wake(), RETRY_MS).unref();
    }
  }

  private async finish(job: StoredJob): Promise<void> {
    const partition: Partition = { id: job.partition, name: String(job.parameters['name']) };
    await this.registry.delete(partition, async () => {
      await this.hooks.observe('STORAGE_PARTITION_DELETED', { partition });
    });
    const left = await this.registry.contents(job.partition);
    await this.registry.saveJob({ ...job, state: 'done', result: { left } });
  }
}
