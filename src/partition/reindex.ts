import { DEFAULT_PARTITION_ID, type PartitionId } from '../model/partition.js';
import type { StoredJob } from '../storage/store.js';
import { dropCopies } from './drop-copies.js';
import { LeasedJobs } from './leased-jobs.js';
import type { PendingPath, ReindexParts, ReindexTarget, RetiredCopies } from './reindex-parts.js';
import { beginProgress, pathsOf, ReindexWalk, type ReindexProgress } from './reindex-walk.js';

/** Kind of the jobs that reindex. */
export const REINDEX_JOB = 'reindex';

/** Jobs are not looked at more often than this, in milliseconds. */
const RENEWAL_MS = 1_000;

/** Makes the index rows of stored resources complete, job by job. */
export class Reindexing {
  readonly kind = REINDEX_JOB;
  private readonly jobs: LeasedJobs;
  /** When copies of a partition were last asked for, as `performance.now()`. */
  private readonly renewedAt = new Map<PartitionId, number>();

  constructor(private readonly parts: ReindexParts) {
    this.jobs = new LeasedJobs({
      ...parts,
      kind: this.kind,
      owner: parts.newId(),
      run: (job, isStopped) => this.run(job, isStopped),
    });
  }

  /** Starts the job; returns at once. */
  async start(target: ReindexTarget): Promise<StoredJob> {
    const [only, ...others] = target.partitions ?? [];
    const job: StoredJob = {
      id: this.parts.newId(),
      kind: REINDEX_JOB,
      partition: only !== undefined && others.length === 0 ? only : DEFAULT_PARTITION_ID,
      state: 'running',
      parameters: { ...target },
      result: null,
    };
    await this.parts.storage.partitions.saveJob(job);
    this.wake();
    return job;
  }

  /** Renews the copies of a partition in the background, unless that is under way; returns at once. */
  renewCopies(partition: PartitionId): void {
    const now = performance.now();
    if (now - (this.renewedAt.get(partition) ?? -Infinity) < RENEWAL_MS) return;
    this.renewedAt.set(partition, now);
    this.startRenewal(partition).catch((error: unknown) => this.parts.onError(undefined, error));
  }

  private async startRenewal(partition: PartitionId): Promise<void> {
    const jobs = await this.parts.storage.partitions.jobs();
    const isUnderWay = jobs.some(
      (job) => job.kind === REINDEX_JOB && job.state === 'running' && isRenewalOf(job, partition),
    );
    if (!isUnderWay) await this.start({ partitions: [partition], types: [] });
  }

  /** The job as it stands in the database. */
  async find(id: string): Promise<StoredJob | undefined> {
    const jobs = await this.parts.storage.partitions.jobs();
    return jobs.find((job) => job.kind === REINDEX_JOB && job.id === id);
  }

  /** Ends the job wherever it runs; what it has added stays. A job that has ended is left as it is. */
  async cancel(job: StoredJob): Promise<void> {
    await this.parts.storage.partitions.saveRunningJob({ ...job, state: 'cancelled' });
  }

  /** Works off unfinished jobs that nobody works on; returns at once. */
  wake(): void {
    this.jobs.wake();
  }

  /** A job that is stopped goes on where it was when a server starts. */
  stop(): Promise<void> {
    return this.jobs.stop();
  }

  /** Deletes copies that are no longer kept, in the background. What can't be begun now, the next reindex of everything does. */
  async dropCopies(paths: readonly PendingPath[]): Promise<void> {
    if (paths.length === 0) return;
    const retired = { paths, at: this.parts.clock() };
    try {
      await this.start({ partitions: null, types: [], retired });
    } catch (error) {
      this.parts.onError(undefined, error);
    }
  }

  private async run(job: StoredJob, isStopped: () => boolean): Promise<void> {
    const { paths, storage } = this.parts;
    const target = job.parameters as unknown as ReindexTarget;
    if (target.retired) return this.runDrop(job, target.retired, isStopped);
    await paths.refresh();
    const progress = progressOf(job) ?? beginProgress(pathsOf(target, paths.pendingPaths()));
    const save = (reached: ReindexProgress, state: StoredJob['state'] = 'running'): Promise<boolean> =>
      storage.partitions.saveRunningJob({ ...job, state, result: { ...reached } });
    if (!(await save(progress))) return;
    const walk = new ReindexWalk(this.parts, target, {
      progress,
      save: (reached) => save(reached),
      isStopped,
    });
    if (!(await walk.untilSettled()) || !(await walk.countAll()) || !(await walk.run())) return;
    const isComplete = target.partitions === null && walk.progress.failed === 0;
    if (isComplete) await paths.markIndexed(progress.paths);
    await save(walk.progress, walk.progress.failed === 0 ? 'done' : 'failed');
    if (target.partitions === null && target.types === null) await this.dropCopies(paths.retiredCopies());
  }

  private async runDrop(job: StoredJob, retired: RetiredCopies, isStopped: () => boolean): Promise<void> {
    const { partitions } = this.parts.storage;
    const hasEnded = async (): Promise<boolean> => isStopped() || !(await partitions.saveRunningJob(job));
    if (await dropCopies(this.parts, retired, hasEnded))
      await partitions.saveRunningJob({ ...job, state: 'done' });
  }
}

function isRenewalOf({ parameters }: StoredJob, partition: PartitionId): boolean {
  const { partitions, types } = parameters as unknown as ReindexTarget;
  return types?.length === 0 && partitions?.includes(partition) === true;
}

/** The job's progress; undefined before it has begun. */
export function progressOf({ result }: StoredJob): ReindexProgress | undefined {
  if (result === null) return undefined;
  // A job that an earlier version of the server began has not counted.
  return { ...beginProgress([]), ...result };
}
