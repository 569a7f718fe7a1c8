import type { Storage } from '../storage/storage.js';
import type { StoredJob } from '../storage/store.js';

/** A job whose worker was killed is taken over after this time. */
const LEASE_MS = 3_000;
const RENEW_MS = 500;

/** What one kind of jobs is worked off with. */
export interface LeasedJobsParts {
  readonly storage: Pick<Storage, 'leaseJob' | 'partitions'>;
  readonly kind: string;
  /** Different for every server and command. */
  readonly owner: string;
  /** Does the job as far as it gets; must end soon once `isStopped`. What it throws leaves the job unfinished. */
  readonly run: (job: StoredJob, isStopped: () => boolean) => Promise<void>;
  /** `job`: undefined where not even the jobs could be read. */
  readonly onError: (job: StoredJob | undefined, error: unknown) => void;
}

/**
 * Works off unfinished jobs of one kind, one after another. Of all servers and commands on one database one works on
 * a job, as long as it renews its lease; after a kill another goes on.
 */
export class LeasedJobs {
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(private readonly parts: LeasedJobsParts) {}

  /** Works off unfinished jobs that nobody works on; returns at once. */
  wake(): void {
    if (this.stopped) return;
    this.again = true;
    this.running ??= this.work().finally(() => {
      this.running = undefined;
      if (this.again) this.wake();
    });
  }

  /** Resolves when no job is being worked on. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  /** A job that is stopped goes on where it was when a server starts. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.idle();
  }

  /** Never rejects: what fails is tried again with the next wake. */
  private async work(): Promise<void> {
    this.again = false;
    let job: StoredJob | undefined;
    try {
      for (job of await this.unfinished()) {
        if (this.stopped) return;
        await this.workOn(job);
      }
    } catch (error) {
      this.parts.onError(job, error);
    }
  }

  private async unfinished(): Promise<readonly StoredJob[]> {
    const jobs = await this.parts.storage.partitions.jobs();
    return jobs.filter(({ kind, state }) => kind === this.parts.kind && state === 'running');
  }

  private async workOn({ id }: StoredJob): Promise<void> {
    const { storage, owner, onError } = this.parts;
    const lease = new Lease((ms) => storage.leaseJob(id, owner, ms));
    if (!(await lease.renew())) return;
    // Whoever had the lease before may have come further since the jobs were listed.
    const job = (await this.unfinished()).find((one) => one.id === id);
    if (job === undefined) return;
    const renewing = setInterval(() => {
      lease.renew().catch((error: unknown) => onError(job, error));
    }, RENEW_MS);
    try {
      await this.parts.run(job, () => this.stopped || lease.isLost());
    } catch (error) {
      onError(job, error);
    } finally {
      clearInterval(renewing);
    }
    if (this.stopped) await lease.giveUp();
  }
}

/** The right to work on a job. It ends when another one takes it, or when it could not be renewed in time. */
class Lease {
  private isTaken = false;
  private end = -Infinity;

  private renewing: Promise<boolean> = Promise.resolve(false);

  constructor(private readonly take: (ms: number) => Promise<boolean>) {}

  renew(): Promise<boolean> {
    const extend = (): Promise<boolean> => this.extend();
    this.renewing = this.renewing.then(extend, extend);
    return this.renewing;
  }

  /** Whoever asks next has the job: a server that takes this one's place need not wait. */
  async giveUp(): Promise<void> {
    // One that comes later would take it back; whether it failed has been told.
    await this.renewing.catch(() => false);
    if (!this.isLost()) await this.take(0);
  }

  private async extend(): Promise<boolean> {
    // From before the question: the database cannot have counted from an earlier moment.
    const asked = performance.now();
    if (await this.take(LEASE_MS)) this.end = asked + LEASE_MS;
    else this.isTaken = true;
    return !this.isTaken;
  }

  isLost(): boolean {
    return this.isTaken || performance.now() >= this.end;
  }
}
