import { setTimeout as pause } from 'node:timers/promises';
import type { PartitionId } from '../model/partition.js';
import { Pace } from './pace.js';
import { type BatchResult, type BatchStart, reindexBatch } from './reindex-batch.js';
import { speedAfter } from './reindex-estimate.js';
import type { PathName, PendingPath, ReindexParts, ReindexTarget } from './reindex-parts.js';
import { type CopiesProgress, renewCopies } from './renew-copies.js';
import { countTarget } from './reindex-total.js';
import { targetPartitions, whileServed } from './served-partitions.js';

/** How far a job has come; stands in its result, so that it goes on from there. */
export interface ReindexProgress {
  /** The pending paths that the job covers. */
  readonly paths: readonly PendingPath[];
  /** Where the walk is: null before and between partitions. */
  readonly partition: PartitionId | null;
  /** Pending paths of that partition alone, and how many resources could not be indexed before it. */
  readonly own: { readonly paths: readonly PendingPath[]; readonly failedBefore: number };
  readonly type: string;
  /** The last id that was walked past. */
  readonly after: string;
  /** How far the copies of the partition are; null before its rows are complete. */
  readonly copies: CopiesProgress | null;
  /** Partitions that are done. */
  readonly partitions: number;
  /** Resources that there were to look at when the walk began; null until they are counted. */
  readonly total: number | null;
  /** Resources that were looked at. */
  readonly seen: number;
  /** How many of them in a second, of late; 0 until it is measured. */
  readonly perSecond: number;
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
/** A resource that is written by others each time it is looked at is given up after so many times. */
const MOST_ATTEMPTS = 200;
const MOST_FAILURES = 10;
/** Milliseconds that servers' clocks may differ. */
const CLOCKS_MS = 60_000;

/** A job before its first batch. */
export function beginProgress(paths: readonly PendingPath[]): ReindexProgress {
  const counts = { partitions: 0, total: null, seen: 0, perSecond: 0, added: 0, failed: 0 };
  const own = { paths: [], failedBefore: 0 };
  return { paths, partition: null, own, type: '', after: '', copies: null, ...counts, failures: [] };
}

/**
 * One run of a job: through partitions by their ids, in each through types by their names, in each through resources by
 * their ids. It works a third of the time at most, so that requests have the rest.
 */
export class ReindexWalk {
  progress: ReindexProgress;
  /** When the progress was saved, and how many resources had been looked at by then. */
  private saved: { readonly at: number; readonly seen: number };
  private readonly pace = new Pace();
  private isEnded = false;
  /** Whether the partition of the progress is not done yet: an earlier run was in it. */
  private isInPartition = true;

  constructor(
    private readonly parts: ReindexParts,
    private readonly target: ReindexTarget,
    private readonly watched: ReindexRun,
  ) {
    this.progress = watched.progress;
    this.saved = { at: performance.now(), seen: watched.progress.seen };
  }

  /** Waits until no write can miss the paths any more; false where it was stopped. */
  async untilSettled(pending = this.progress.paths): Promise<boolean> {
    const { paths, clock } = this.parts;
    const settled = Math.max(0, ...pending.map((path) => paths.settledAt(path)));
    while (clock() < settled) {
      if (this.isStopped()) return false;
      await pause(POLL_MS);
    }
    return true;
  }

  /** Counts what there is to do, unless it is known; false where it was stopped, or the job has ended. */
  async countAll(): Promise<boolean> {
    if (this.progress.total !== null) return true;
    const total = await countTarget(this.parts, this.target, () => this.isStopped());
    if (total === undefined) return false;
    this.move({ total });
    await this.save();
    return !this.isStopped();
  }

  /** False where it was stopped. */
  async run(): Promise<boolean> {
    for (;;) {
      const partition = await this.nextPartition();
      if (partition === undefined) return true;
      if (partition !== this.progress.partition) await this.enter(partition);
      if (!(await this.untilSettled(this.progress.own.paths))) return false;
      if (this.progress.copies === null) await this.walkPartition(partition);
      await this.walkCopies(partition);
      if (this.isStopped()) return false;
      await this.leave(partition);
      this.isInPartition = false;
      this.move({ partitions: this.progress.partitions + 1, copies: null });
    }
  }

  /** The one that an earlier run was in, or the next one. */
  private async nextPartition(): Promise<PartitionId | undefined> {
    const { partition: last } = this.progress;
    const partitions = await targetPartitions(this.parts.storage, this.target);
    return partitions.find((id) => last === null || id > last || (this.isInPartition && id === last));
  }

  private async enter(partition: PartitionId): Promise<void> {
    const pending = (await this.parts.ownPaths(partition))?.pendingPaths() ?? [];
    const paths = pathsOf(this.target, pending);
    const own = { paths, failedBefore: this.progress.failed };
    this.move({ partition, own, type: '', after: '' });
  }

  /** Whoever has a partition alone need not wait for the others. */
  private async leave(partition: PartitionId): Promise<void> {
    const { own, failed } = this.progress;
    if (own.paths.length === 0 || failed > own.failedBefore) return;
    await (await this.parts.ownPaths(partition))?.markIndexed(own.paths);
  }

  private async walkPartition(partition: PartitionId): Promise<void> {
    const types = await this.whileServed(partition, () =>
      this.parts.storage.useRows(partition, (rows) => rows.types()),
    );
    const wanted = (types ?? []).filter((type) => this.target.types?.includes(type) ?? true);
    for (const type of wanted.toSorted()) {
      if (type < this.progress.type) continue;
      await this.walkType(partition, type);
      if (this.isStopped()) return;
    }
  }

  private async walkType(partition: PartitionId, type: string): Promise<void> {
    const parts = { ...this.parts, pace: this.pace };
    const { paths, own } = this.progress;
    const doubtful = doubtfulTime(this.parts, [...paths, ...own.paths]);
    let isContended = false;
    let attempts = 0;
    // The home may have types of others alone: nobody is told of one before there is a resource of the partition.
    let after = type === this.progress.type ? this.progress.after : '';
    while (!this.isStopped()) {
      const start: BatchStart = { partition, type, after, isContended, doubtful };
      const result: BatchResult | undefined = await this.whileServed(partition, () =>
        this.parts.storage.useRows(partition, (rows) => reindexBatch(rows, parts, start)),
      );
      if (result?.after === undefined) return;
      attempts = result.after === after ? attempts + 1 : 0;
      after = result.after;
      if (attempts > MOST_ATTEMPTS) throw new Error(`${type} after '${after}' is never the same twice.`);
      isContended = result.isContended;
      await this.record(type, result);
      await this.pace.rest();
    }
  }

  /** When the rows of every type are complete, as what is copied may be of any of them. */
  private async walkCopies(partition: PartitionId): Promise<void> {
    const { storage, copies } = this.parts;
    while (!this.isStopped()) {
      const reached = this.progress.copies;
      const next = await this.whileServed(partition, () =>
        storage.useRows(partition, (rows) => renewCopies(rows, copies(), partition, reached)),
      );
      if (next === undefined) return;
      this.move({ copies: next });
      if (performance.now() - this.saved.at >= SAVE_MS) await this.save();
      await this.pace.rest();
    }
  }

  private async record(type: string, result: BatchResult): Promise<void> {
    const { seen, added, failed, failures } = this.progress;
    const fresh = result.failures.map(({ id, message }) => `${type}/${id}: ${message}`);
    this.move({
      type,
      after: result.after ?? '',
      seen: seen + result.seen,
      added: added + result.added,
      failed: failed + fresh.length,
      failures: [...failures, ...fresh].slice(0, MOST_FAILURES),
    });
    if (performance.now() - this.saved.at >= SAVE_MS) await this.save();
  }

  private async save(): Promise<void> {
    const { at, seen } = this.saved;
    const made = { seen: this.progress.seen - seen, ms: performance.now() - at };
    this.saved = { at: at + made.ms, seen: this.progress.seen };
    if (made.seen > 0) this.move({ perSecond: speedAfter(this.progress.perSecond, made) });
    this.isEnded ||= !(await this.watched.save(this.progress));
  }

  private whileServed<Result>(
    partition: PartitionId,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    const { storage } = this.parts;
    return whileServed({ storage, isStopped: () => this.isStopped() }, partition, work);
  }

  private isStopped(): boolean {
    return this.isEnded || this.watched.isStopped();
  }

  private move(change: Partial<ReindexProgress>): void {
    this.progress = { ...this.progress, ...change };
  }
}

/**
 * The paths that a reindex of the target is for. Copies of every type are renewed, so that it matters only whether what
 * is copied is complete.
 */
export function pathsOf({ types }: ReindexTarget, pending: readonly PendingPath[]): readonly PendingPath[] {
  const isCovered = ({ resourceType }: PathName): boolean => types?.includes(resourceType) ?? true;
  return pending.filter((path) => {
    const { copiedFrom } = path;
    if (!copiedFrom) return isCovered(path);
    return isCovered(copiedFrom) || !pending.some((one) => isSame(one, copiedFrom));
  });
}

function isSame(one: PathName, other: PathName): boolean {
  return one.resourceType === other.resourceType && one.kind === other.kind && one.path === other.path;
}

/** From the first path's beginning until every server knew the last one. */
function doubtfulTime({ paths }: ReindexParts, pending: readonly PendingPath[]): BatchStart['doubtful'] {
  if (pending.length === 0) return undefined;
  return {
    since: Math.min(...pending.map(({ since }) => since)) - CLOCKS_MS,
    until: Math.max(...pending.map((path) => paths.settledAt(path))) + CLOCKS_MS,
  };
}
