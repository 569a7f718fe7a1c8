import type { ExportClaim, ExportJobStore } from '../storage/export-store.js';
import { ClaimLostError } from './claim-lost.js';

/** Keeps a claim alive beside the work, and says when it is lost. */
export class ExportLease {
  private isTaken = false;
  private end: number;
  private renewing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  /** `begun`: when the claim was asked for, as `performance.now()`; times in milliseconds. */
  constructor(
    private readonly jobs: Pick<ExportJobStore, 'renew'>,
    private readonly claim: ExportClaim,
    private readonly lease: { readonly milliseconds: number; readonly begun: number },
  ) {
    this.end = lease.begun + lease.milliseconds;
    this.timer = setInterval(() => void this.renew(), lease.milliseconds / 3).unref();
  }

  /** Lost to another, or not renewed in time. */
  isLost(): boolean {
    return this.isTaken || performance.now() >= this.end;
  }

  /** @throws ClaimLostError */
  check(): void {
    if (this.isLost()) throw new ClaimLostError();
  }

  /** Ends the renewing; what is under way has come to its end then. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.renewing;
  }

  /** One after another. What fails is tried again at the next beat, as long as the lease lasts. */
  private renew(): Promise<void> {
    this.renewing = this.renewing.then(() => this.extend()).catch(() => undefined);
    return this.renewing;
  }

  private async extend(): Promise<void> {
    const { milliseconds } = this.lease;
    // From before the question: the database cannot have counted from an earlier moment.
    const asked = performance.now();
    if (await this.jobs.renew(this.claim, milliseconds)) this.end = asked + milliseconds;
    else this.isTaken = true;
  }
}
