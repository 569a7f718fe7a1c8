import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../model/partition.js';
import { Pace } from './pace.js';
import { type BatchResult, type BatchStart, reindexBatch } from './reindex-batch.js';
import type { PendingPath, ReindexParts, ReindexTarget } from './reindex-parts.js';

/** How far a job has come; stands in its result, so that it goes on from there. */
export interface ReindexProgress {
  /** The pending paths that the job covers. */
  readonly paths: readonly PendingPath[];
  /** Where the walk is: null before and between partitions. */
  readonly partition: PartitionId | null;
  readonly type: string;
  /** The last id that was walked past. */
  readonly after: string;
  /** Partitions that are done. */
  readonly partitions: number;
  /** Resources that were looked at. */
  readonly seen: number;
  /** Index rows that were missing. */
  readonly added: number;
  /** Resources that could not be indexed. */
  readonly failed: number;
  /** The first of them: `Patient/1: why`. */
  readonly failures: readonly string[];
}

/** How a run is watched. */
export interface ReindexRun {
  readonly progress: ReindexProgress;
  /** False where the job has ended by now. */
  readonly save: (progress: ReindexProgress) => Promise<boolean>;
  /** Whether to stop where it can go on later. */
  readonly isStopped: () => boolean;
}

/** Progress is saved this often; what was done since is done again after a kill. */
const SAVE_MS = 500;
const POLL_MS = 50;
/** A partition that is being moved is tried again after this time. */
const MOVING_MS = 200;
/** A resource that is written by others each time it is looked at is given up after so many times. */
const MOST_ATTEMPTS = 200;
const MOST_FAILURES = 10;
/** Milliseconds that servers' clocks may differ. */
const CLOCKS_MS = 60_000;

/** A job before its first batch. */
export function beginProgress(paths: readonly PendingPath[]): ReindexProgress {
  const counts = { partitions: 0, seen: 0, added: 0, failed: 0 };
  return { paths, partition: null, type: '', after: '', ...counts, failures: [] };
}

/**
 * One run of a job: through partitions by their ids, in each through types by their names, in each through resources by
 * their ids. It works a third of the time at most, so that requests have the rest.
 */
export class ReindexWalk {
  progress: ReindexProgress;
  private savedAt = performance.now();
  private readonly pace = new Pace();
  private isEnded = false;
  private readonly doubtful: BatchStart['doubtful'];
  /** Whether the partition of the progress is not done yet: an earlier run was in it. */
  private isInPartition = true;

  constructor(
    private readonly parts: ReindexParts,
    private readonly target: ReindexTarget,
    private readonly watched: ReindexRun,
  ) {
    this.progress = watched.progress;
    this.doubtful = doubtfulTime(parts, watched.progress.paths);
  }

  /** Waits until no write can miss the paths any more; false where it was stopped. */
  async untilSettled(): Promise<boolean> {
    const { paths, clock } = this.parts;
    const settled = Math.max(0, ...this.progress.paths.map((path) => paths.settledAt(path)));
    while (clock() < settled) {
      if (this.isStopped()) return false;
      await pause(POLL_MS);
    }
    return true;
  }

  /** False where it was stopped. */
  async run(): Promise<boolean> {
    for (;;) {
      const partition = await this.nextPartition();
      if (partition === undefined) return true;
      if (partition !== this.progress.partition) this.move({ partition, type: '', after: '' });
      await this.walkPartition(partition);
      if (this.isStopped()) return false;
      this.isInPartition = false;
      this.move({ partitions: this.progress.partitions + 1 });
    }
  }

  /** The one that an earlier run was in, or the next one. */
  private async nextPartition(): Promise<PartitionId | undefined> {
    const { partition: last } = this.progress;
    const registered = await this.parts.storage.partitions.list();
    const { partitions } = this.target;
    return [DEFAULT_PARTITION_ID, ...registered.map(({ id }) => id)]
      .filter((id) => partitions === null || partitions.includes(id))
      .toSorted((a, b) => a - b)
      .find((id) => last === null || id > last || (this.isInPartition && id === last));
  }

  private async walkPartition(partition: PartitionId): Promise<void> {
    const types = await this.whileServed(partition, () =>
      this.parts.storage.useRows(partition, (rows) => rows.types()),
    );
    const wanted = (types ?? []).filter((type) => this.target.types?.includes(type) ?? true);
    for (const type of wanted.toSorted()) {
      if (type < this.progress.type) continue;
      if (type > this.progress.type) this.move({ type, after: '' });
      await this.walkType(partition, type);
      if (this.isStopped()) return;
    }
  }

  private async walkType(partition: PartitionId, type: string): Promise<void> {
    const parts = { ...this.parts, pace: this.pace };
    let isContended = false;
    let attempts = 0;
    while (!this.isStopped()) {
      const { after } = this.progress;
      const start: BatchStart = { partition, type, after, isContended, doubtful: this.doubtful };
      const result: BatchResult | undefined = await this.whileServed(partition, () =>
        this.parts.storage.useRows(partition, (rows) => reindexBatch(rows, parts, start)),
      );
      if (result?.after === undefined) return;
      attempts = result.after === after ? attempts + 1 : 0;
      if (attempts > MOST_ATTEMPTS) throw new Error(`${type} after '${after}' is never the same twice.`);
      isContended = result.isContended;
      await this.record(type, result);
      await this.pace.rest();
    }
  }

  private async record(type: string, result: BatchResult): Promise<void> {
    const { seen, added, failed, failures } = this.progress;
    const fresh = result.failures.map(({ id, message }) => `${type}/${id}: ${message}`);
    this.move({
      after: result.after ?? '',
      seen: seen + result.seen,
      added: added + result.added,
      failed: failed + fresh.length,
      failures: [...failures, ...fresh].slice(0, MOST_FAILURES),
    });
    if (performance.now() - this.savedAt < SAVE_MS) return;
    this.isEnded ||= !(await this.watched.save(this.progress));
    this.savedAt = performance.now();
  }

  /** Waits for a partition that is being moved; undefined where it has gone, or the run was stopped. */
  private async whileServed<Result>(
    partition: PartitionId,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    while (!this.isStopped()) {
      try {
        return await work();
      } catch (error) {
        if (!isNotServed(error)) throw error;
        const registered = await this.parts.storage.partitions.list();
        if (!registered.some(({ id }) => id === partition)) return undefined;
        await pause(MOVING_MS);
      }
    }
    return undefined;
  }

  private isStopped(): boolean {
    return this.isEnded || this.watched.isStopped();
  }

  private move(change: Partial<ReindexProgress>): void {
    this.progress = { ...this.progress, ...change };
  }
}

function isNotServed(error: unknown): boolean {
  return error instanceof FhirError && error.code === 'UNKNOWN_PARTITION';
}

/** From the first path's beginning until every server knew the last one. */
function doubtfulTime({ paths }: ReindexParts, pending: readonly PendingPath[]): BatchStart['doubtful'] {
  if (pending.length === 0) return undefined;
  return {
    since: Math.min(...pending.map(({ since }) => since)) - CLOCKS_MS,
    until: Math.max(...pending.map((path) => paths.settledAt(path))) + CLOCKS_MS,
  };
}
