import type { PartitionId } from '../model/partition.js';
import type { ExportJob } from '../storage/export-store.js';
import type { ExportParts } from './export-parts.js';
import { removeUnlisted } from './unlisted-files.js';

/** Jobs that are removed in one go. */
const BATCH = 100;
/** Files that no job knows of are rare: they are looked for less often. In milliseconds. */
const ORPHANS_MS = 60 * 60 * 1000;
const EXPIRED_MS = 30_000;
/** Beyond the lifetime: until then an export may go on, and others may keep theirs in the same place. */
const ORPHAN_AGE_MS = 24 * 60 * 60 * 1000;

/**
 * Removes what nobody will ask for any more: exports whose time is over, cancelled ones, and files that no job knows
 * of. Several servers may do so at once.
 */
export class ExportSweeper {
  private sweeping: Promise<void> | undefined;
  private nextExpired = 0;
  private nextOrphans = 0;

  constructor(
    private readonly parts: Pick<ExportParts, 'jobs' | 'output' | 'scopeOf' | 'clock' | 'limits' | 'log'>,
  ) {}

  /** Sweeps if it is time to; returns at once. */
  wake(): void {
    const now = performance.now();
    if (this.sweeping || now < this.nextExpired) return;
    this.nextExpired = now + EXPIRED_MS;
    const all = now >= this.nextOrphans;
    if (all) this.nextOrphans = now + ORPHANS_MS;
    this.sweeping = (all ? this.sweep() : this.sweepExpired())
      .catch((error: unknown) => this.parts.log.error({ err: error }, 'old exports could not be removed'))
      .finally(() => {
        this.sweeping = undefined;
      });
  }

  async stop(): Promise<void> {
    this.nextExpired = Infinity;
    await this.sweeping;
  }

  /** Removes everything that may go. */
  async sweep(): Promise<void> {
    await this.sweepExpired();
    await this.sweepOrphans();
  }

  private async sweepExpired(): Promise<void> {
    const { jobs, output, clock, limits } = this.parts;
    for (;;) {
      const found = await jobs.removable(clock() - limits.lifetime, BATCH);
      const idle = found.filter((job) => this.isIdle(job));
      for (const job of idle) {
        await output.removeJob(job.partition, job.id);
        await jobs.remove(job);
      }
      if (found.length < BATCH || idle.length === 0) return;
    }
  }

  /** Whoever worked on a job that was cancelled may go on to write until the lease is renewed in vain. */
  private isIdle({ state, ended }: ExportJob): boolean {
    const { clock, limits } = this.parts;
    return state !== 'cancelled' || (ended ?? 0) + limits.lease <= clock();
  }

  /**
   * What has files and no job, and is so old that a job would have ended and expired; and of jobs that have ended what was
   * never listed.
   */
  private async sweepOrphans(): Promise<void> {
    const { jobs, output, clock, limits } = this.parts;
    const youngest = clock() - limits.lifetime - ORPHAN_AGE_MS;
    const found = new Map<PartitionId, string[]>();
    for await (const { partition, job } of output.jobs())
      found.set(partition, [...(found.get(partition) ?? []), job]);
    for (const [partition, ids] of found) {
      const known = await jobs.ids(partition);
      for (const id of ids) {
        if (known.has(id)) await this.sweepUnlisted(partition, id);
        else if (timeOf(id) < youngest) await output.removeJob(partition, id);
      }
    }
  }

  /** Nothing more is listed of a job that has ended; what ended long ago was looked at before. */
  private async sweepUnlisted(partition: PartitionId, id: string): Promise<void> {
    const { jobs, scopeOf, clock } = this.parts;
    const job = await jobs.find(scopeOf(partition), id);
    const isFinal = job?.state === 'complete' || job?.state === 'failed';
    if (isFinal && (job.ended ?? 0) > clock() - 2 * ORPHANS_MS)
      await removeUnlisted(this.parts, job, () => true);
  }
}

/** When a job was made, which its UUIDv7 begins with: https://www.rfc-editor.org/rfc/rfc9562#section-5.7. */
function timeOf(job: string): number {
  return Number.parseInt(job.replace('-', '').slice(0, 12), 16);
}
