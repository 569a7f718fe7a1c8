import type { ExportClaim, ExportFile } from '../storage/export-store.js';
import { ClaimLostError, WorkStoppedError } from './claim-lost.js';
import type { ExportCounts } from './export-counts.js';
import type { ExportLease } from './export-lease.js';
import type { ExportParts } from './export-parts.js';
import { progressOf, type ExportProgress } from './export-progress.js';
import { describeExport, type ExportRequest, requestOf } from './export-request.js';
import { ExportSlice, type WrittenSlice } from './export-slice.js';
import { selectExport } from './select.js';
import { SliceKeeper } from './slice-keeper.js';
import { removeFiles } from './unlisted-files.js';

/** What is worked on, and with what. */
export interface ClaimedParts {
  readonly parts: ExportParts;
  readonly claim: ExportClaim;
  readonly lease: ExportLease;
  readonly counts: ExportCounts;
  /** Whether the server stops. */
  readonly isStopped: () => boolean;
}

/** What an export consists of, as of its moment, and how far it is. */
interface Frozen {
  readonly request: ExportRequest;
  readonly at: number;
  readonly progress: ExportProgress;
}

/**
 * An export that this server has claimed. Each slice is saved while the next one is read, of which nothing is written
 * before: a kill costs one slice.
 */
export class ClaimedExport {
  private hasSaved = false;

  constructor(private readonly own: ClaimedParts) {}

  /** Claims since it last came further, with this one. */
  get attempts(): number {
    return this.hasSaved ? 1 : this.own.claim.job.attempts;
  }

  /** Goes on with it until it is complete, another one waits for a worker, or the server stops. */
  async run(): Promise<void> {
    const { parts, claim } = this.own;
    const frozen = await this.frozen();
    const keeper = new SliceKeeper((slice, files) => this.save(slice, files));
    let isComplete = false;
    try {
      isComplete = await this.write(frozen, keeper);
    } finally {
      await keeper.saved();
    }
    if (!isComplete) await parts.jobs.release(claim, parts.clock(), 'taken back');
  }

  /** The moment that the export is about, and what it consists of; decided once. */
  private async frozen(): Promise<Frozen> {
    const { claim, lease, isStopped, parts } = this.own;
    const { job } = claim;
    const request = requestOf(job);
    const known = progressOf(job);
    if (job.at !== null && known !== null) return { request, at: job.at, progress: known };
    const check = (): void => {
      lease.check();
      if (isStopped()) throw new WorkStoppedError();
    };
    const { homes, jobs } = parts;
    const frozen = await homes.freeze(job.partition, async (snapshot) => ({
      request,
      at: snapshot.at,
      progress: await selectExport({ parts, claim, request, snapshot, check }),
    }));
    if (!(await jobs.saveFrozen(claim, frozen.at, JSON.stringify(frozen.progress))))
      throw new ClaimLostError();
    return frozen;
  }

  /** Answers whether the last slice is among those that were given to the keeper. */
  private async write({ progress, ...frozen }: Frozen, keeper: SliceKeeper): Promise<boolean> {
    const { lease, isStopped, parts } = this.own;
    const shouldEnd = (): boolean => {
      lease.check();
      keeper.check();
      return isStopped();
    };
    let after = progress;
    for (let number = 1; ; number++) {
      const slice = await new ExportSlice({
        ...this.own,
        ...frozen,
        number,
        progress: after,
        shouldEnd,
        savedBefore: () => keeper.saved(),
      }).run();
      await keeper.keep(slice);
      if (slice.isComplete) return true;
      if (isStopped() || (await parts.jobs.hasDue())) return false;
      after = slice.progress;
    }
  }

  private async save(slice: WrittenSlice, files: readonly ExportFile[]): Promise<void> {
    const { parts, claim, counts } = this.own;
    const { done, total } = slice.progress;
    try {
      await this.store(slice, files);
    } catch (error) {
      // Of any other error nobody knows whether it was saved.
      if (error instanceof ClaimLostError) await removeFiles(parts.output, files);
      throw error;
    }
    this.hasSaved = true;
    counts.bytes += files.reduce((sum, { bytes }) => sum + bytes, 0);
    const ids = { job: claim.job.id, partition: claim.job.partition };
    if (slice.isComplete) await this.complete(ids, done);
    else parts.log.info({ ...ids, files: files.length, done, total }, 'an export goes on');
  }

  private async store({ isComplete, progress }: WrittenSlice, files: readonly ExportFile[]): Promise<void> {
    const { parts, claim, lease } = this.own;
    const text = JSON.stringify(progress);
    lease.check();
    const isStored = isComplete
      ? await parts.jobs.end(claim, { state: 'complete', files, progress: text })
      : await parts.jobs.saveProgress(claim, files, text);
    if (!isStored) throw new ClaimLostError();
  }

  private async complete(ids: object, resources: number): Promise<void> {
    const { parts, claim, counts } = this.own;
    counts.complete += 1;
    parts.log.info({ ...ids, resources }, 'an export is complete');
    const job = describeExport(claim.job, requestOf(claim.job));
    await parts.hooks.observe('STORAGE_POSTCOMPLETE_BATCH_JOB', { job });
  }
}
