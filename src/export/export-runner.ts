import { FhirError } from '../model/errors.js';
import type { ExportClaim } from '../storage/export-store.js';
import { ClaimLostError, WorkStoppedError } from './claim-lost.js';
import { ClaimedExport } from './claimed-export.js';
import { ExportCounts } from './export-counts.js';
import { ExportLease } from './export-lease.js';
import type { ExportParts } from './export-parts.js';
import { OutputError } from './part-writer.js';
import { mayHaveLostFiles, removeLostFiles } from './unlisted-files.js';

/** How a runner is known among those of all servers. */
export interface ExportRunnerParts extends ExportParts {
  readonly owner: string;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Works on exports, those of all servers on one database: claims one, works on it until it is complete or, at the end of
 * a part of its output, another one waits, gives it back, and so on as long as there are any. Whatever is interrupted, here or by the end of a process, goes on from what
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
    const { parts, counts } = this;
    const { jobs, limits, log } = parts;
    const lease = new ExportLease(jobs, claim, { milliseconds: limits.lease, begun });
    const isStopped = (): boolean => this.stopped;
    const claimed = new ClaimedExport({ parts, claim, lease, counts, isStopped });
    counts.running += 1;
    try {
      await this.clear(claim);
      if (claim.job.attempts > limits.attempts) await this.fail(claim, EXHAUSTED);
      else await claimed.run();
    } catch (error) {
      if (error instanceof ClaimLostError || lease.isLost())
        log.info(idsOf(claim), 'an export was lost to another');
      else await this.postpone(claim, claimed.attempts, error);
    } finally {
      counts.running -= 1;
      await lease.stop();
    }
  }

  /** A claim before this one that came to nothing may have left files. What is not removed now is found again. */
  private async clear(claim: ExportClaim): Promise<void> {
    if (!mayHaveLostFiles(claim.job)) return;
    await removeLostFiles(this.parts, claim).catch((error: unknown) =>
      this.parts.log.error({ ...idsOf(claim), err: error }, 'files of an export could not be removed'),
    );
  }

  private async fail(claim: ExportClaim, why: string): Promise<void> {
    if (!(await this.parts.jobs.end(claim, { state: 'failed', error: why }))) return;
    this.counts.failed += 1;
    this.parts.log.error(idsOf(claim), 'an export has failed');
  }

  /** What fails is tried again later, each time after a longer pause. */
  private async postpone(claim: ExportClaim, attempts: number, error: unknown): Promise<void> {
    const { jobs, limits, clock, log } = this.parts;
    if (error instanceof WorkStoppedError) {
      await jobs.release(claim, clock(), 'taken back');
      return;
    }
    log.error({ ...idsOf(claim), attempts, err: error }, 'an export goes on later');
    const final = isFinal(error) || attempts >= limits.attempts;
    if (final) return this.fail(claim, reasonOf(error));
    await jobs.release(claim, clock() + pauseAfter(attempts), 'kept');
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
