import { FhirError } from '../model/errors.js';
import type { ExportClaim } from '../storage/export-store.js';
import { ClaimLostError, WorkStoppedError } from './claim-lost.js';
import { ExportCounts } from './export-counts.js';
import { ExportLease } from './export-lease.js';
import type { ExportParts } from './export-parts.js';
import { progressOf, type ExportProgress } from './export-progress.js';
import { describeExport, type ExportRequest, requestOf } from './export-request.js';
import { ExportSlice, type SliceResult } from './export-slice.js';
import { OutputError } from './part-writer.js';
import { selectExport } from './select.js';

/** How a runner is known among those of all servers. */
export interface ExportRunnerParts extends ExportParts {
  readonly owner: string;
}

/** What is being worked on. */
interface Work {
  readonly claim: ExportClaim;
  readonly request: ExportRequest;
  readonly lease: ExportLease;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Works on exports, those of all servers on one database: claims one, works on it for one part of its output, gives it
 * back, and so on as long as there are any. Whatever is interrupted, here or by the end of a process, goes on from what
 * was saved last.
 */
export class ExportRunner {
  readonly counts = new ExportCounts();
  private readonly working = new Set<Promise<void>>();
  private again = false;
  private stopped = false;

  constructor(private readonly parts: ExportRunnerParts) {}

  /** Looks for something to do; returns at once. */
  wake(): void {
    if (this.stopped || this.working.size >= this.parts.limits.workers) {
      this.again = true;
      return;
    }
    const worker = this.work().finally(() => {
      this.working.delete(worker);
      if (this.again) this.wake();
    });
    this.working.add(worker);
  }

  /** Resolves when nothing is worked on. */
  async idle(): Promise<void> {
    while (this.working.size > 0) await Promise.all(this.working);
  }

  /** What is worked on is saved as far as it is, and given back. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.again = false;
    await this.idle();
  }

  /** Never rejects. */
  private async work(): Promise<void> {
    this.again = false;
    try {
      while (!this.stopped) {
        const { owner, limits, jobs } = this.parts;
        const begun = performance.now();
        const claim = await jobs.claim(owner, limits.lease);
        if (claim === undefined) return;
        // There may be more to do: others of this server's workers look too.
        this.wake();
        await this.workOn(claim, begun);
      }
    } catch (error) {
      this.parts.log.error({ err: error }, 'exports could not be worked on');
    }
  }

  private async workOn(claim: ExportClaim, begun: number): Promise<void> {
    const { jobs, limits, log } = this.parts;
    const lease = new ExportLease(jobs, claim, { milliseconds: limits.lease, begun });
    this.counts.running += 1;
    try {
      const request = requestOf(claim.job);
      if (claim.job.attempts > limits.attempts) await this.fail(claim, EXHAUSTED);
      else await this.advance({ claim, request, lease });
    } catch (error) {
      if (error instanceof ClaimLostError || lease.isLost())
        log.info(idsOf(claim), 'an export was lost to another');
      else await this.postpone(claim, error);
    } finally {
      this.counts.running -= 1;
      await lease.stop();
    }
  }

  private async advance(work: Work): Promise<void> {
    const { claim, lease } = work;
    const { jobs, clock, log } = this.parts;
    const { at, progress } = await this.frozen(work);
    const shouldEnd = (): boolean => {
      lease.check();
      return this.stopped;
    };
    const slice = await new ExportSlice({ parts: this.parts, ...work, at, progress, shouldEnd }).run();
    lease.check();
    if (slice.isComplete) return this.complete(work, slice);
    const { files } = slice;
    if (!(await jobs.saveProgress(claim, files, JSON.stringify(slice.progress)))) throw new ClaimLostError();
    this.count(slice);
    const { done, total } = slice.progress;
    log.info({ ...idsOf(claim), files: files.length, done, total }, 'an export goes on');
    await jobs.release(claim, clock(), 'taken back');
  }

  /** The moment that the export is about, and what it consists of; decided once. */
  private async frozen({ claim, request, lease }: Work): Promise<{ at: number; progress: ExportProgress }> {
    const { job } = claim;
    const known = progressOf(job);
    if (job.at !== null && known !== null) return { at: job.at, progress: known };
    const check = (): void => {
      lease.check();
      if (this.stopped) throw new WorkStoppedError();
    };
    const { homes, jobs } = this.parts;
    const frozen = await homes.freeze(job.partition, async (snapshot) => ({
      at: snapshot.at,
      progress: await selectExport({ parts: this.parts, claim, request, snapshot, check }),
    }));
    if (!(await jobs.saveFrozen(claim, frozen.at, JSON.stringify(frozen.progress))))
      throw new ClaimLostError();
    return frozen;
  }

  private async complete({ claim, request }: Work, slice: SliceResult): Promise<void> {
    const { jobs, hooks, log } = this.parts;
    const { files, progress } = slice;
    const outcome = { state: 'complete', files, progress: JSON.stringify(progress) } as const;
    if (!(await jobs.end(claim, outcome))) throw new ClaimLostError();
    this.count(slice);
    this.counts.complete += 1;
    log.info({ ...idsOf(claim), resources: progress.done }, 'an export is complete');
    await hooks.observe('STORAGE_POSTCOMPLETE_BATCH_JOB', { job: describeExport(claim.job, request) });
  }

  private async fail(claim: ExportClaim, why: string): Promise<void> {
    if (!(await this.parts.jobs.end(claim, { state: 'failed', error: why }))) return;
    this.counts.failed += 1;
    this.parts.log.error(idsOf(claim), 'an export has failed');
  }

  /** What fails is tried again later, each time after a longer pause. */
  private async postpone(claim: ExportClaim, error: unknown): Promise<void> {
    const { jobs, limits, clock, log } = this.parts;
    const { attempts } = claim.job;
    if (error instanceof WorkStoppedError) {
      await jobs.release(claim, clock(), 'taken back');
      return;
    }
    log.error({ ...idsOf(claim), attempts, err: error }, 'an export goes on later');
    const final = isFinal(error) || attempts >= limits.attempts;
    if (final) return this.fail(claim, reasonOf(error));
    await jobs.release(claim, clock() + pauseAfter(attempts), 'kept');
  }

  private count({ files }: SliceResult): void {
    this.counts.bytes += files.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

const EXHAUSTED = 'The export was given up: it was interrupted too often without coming further.';

function idsOf({ job }: ExportClaim): object {
  return { job: job.id, partition: job.partition };
}

/** What will not be otherwise the next time, for example a search parameter that was retired meanwhile. */
function isFinal(error: unknown): boolean {
  return error instanceof FhirError && error.status === 400;
}

/** In words for whoever asked for the export. */
function reasonOf(error: unknown): string {
  if (error instanceof FhirError) return error.message;
  if (error instanceof OutputError) return 'The files of the export could not be written.';
  return 'The data of the export could not be read.';
}

function pauseAfter(attempts: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
