import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../../../model/errors.js';
import type { WriteUnit } from '../../store.js';
import { TimeSlice } from '../../time-slice.js';
import { type PartitionCopies, prepareCopies } from '../copies.js';
import type { Dictionary } from '../dictionary.js';
import { RowNames } from '../row-names.js';
import type { Allocator } from './allocator.js';
import type { LogSync } from './log-sync.js';
import type { SqliteDatabase } from './open.js';
import { type PreparedChange, prepareChange } from './prepared-change.js';
import { BLOB_SQL } from './sqlite-blobs.js';
import type { UnitWriter } from './unit-writer.js';

/** Units of at most this many changes share a transaction with their neighbours. */
const SMALL_UNIT = 16;
/** A shared transaction holds at most this many changes. */
const MAX_BATCH_CHANGES = 256;
const LOCK_RETRY_MS = 2;
const DEFAULT_LIMITS: WaitLimits = { lock: 10_000, hooks: 10_000 };

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type Failed = { readonly kind: 'failed'; readonly error: unknown };
type Outcome = { readonly kind: 'done' } | Failed;
type Prepared = ({ readonly kind: 'prepared' } & PreparedUnit) | Failed;

/** A unit whose rows are ready to be written. */
interface PreparedUnit {
  readonly changes: readonly PreparedChange[];
  readonly copies: readonly PartitionCopies[];
}

/** Statements around one unit. */
interface Fence {
  readonly open: string;
  readonly keep: string;
  readonly undo: string;
}

/** Between the units of a shared transaction. SQLite copies every page that is changed behind it. */
const SAVEPOINT: Fence = {
  open: 'savepoint UNIT',
  keep: 'release UNIT',
  undo: 'rollback to UNIT; release UNIT',
};

/** A unit without neighbours needs nothing but its transaction. */
const ALONE: Fence = { open: '', keep: '', undo: 'rollback' };

/** One unit that is being written. */
interface Writing {
  readonly unit: WriteUnit;
  readonly fence: Fence;
  readonly slice: TimeSlice;
}

/** Longest times, in milliseconds. */
export interface WaitLimits {
  /** For another process that writes. */
  readonly lock: number;
  /** That the hooks of one unit may hold up all writers. */
  readonly hooks: number;
}

/** What a queue writes with. */
export interface WriteQueueParts {
  readonly writer: UnitWriter;
  readonly dictionary: Dictionary;
  readonly allocator: Pick<Allocator, 'takeRowIds' | 'addNames' | 'renewRowIds'>;
  readonly log: Pick<LogSync, 'reached' | 'assertWhole' | 'close'>;
}

/**
 * Group commit: units that arrive while another transaction is under way are committed together by the next
 * one, each behind its own savepoint where there are several, so that one refused unit never fails its neighbours. A caller hears of
 * its unit only after the commit is on disk; the next transaction goes on meanwhile. There is one transaction at a time,
 * and this queue is the only user of the writer's connection while it is not idle.
 */
export class WriteQueue {
  private readonly db: SqliteDatabase;
  private pending: PendingUnit[] = [];
  private running = false;
  private readonly exclusive: (() => Promise<void>)[] = [];
  private closed = false;

  constructor(
    db: SqliteDatabase,
    private readonly parts: WriteQueueParts,
    private readonly limits: WaitLimits = DEFAULT_LIMITS,
  ) {
    this.db = db;
  }

  write(unit: WriteUnit): Promise<void> {
    if (this.closed) return Promise.reject(new Error('The store is closed.'));
    return new Promise((resolve, reject) => {
      this.pending.push({ unit, resolve, reject });
      this.wake();
    });
  }

  /** What is created from now on has greater row ids than anything that was before, wherever. */
  renewRowIds(): void {
    this.parts.allocator.renewRowIds();
  }

  /** Runs `work` alone on the writer's connection, inside a transaction of its own. */
  async transaction<Result>(work: (db: SqliteDatabase) => Result | Promise<Result>): Promise<Result> {
    const result = await this.lateTransaction(work);
    await this.parts.log.reached();
    return result;
  }

  /**
   * As `transaction`, but on disk with a later commit only: for work that is done again where it is lost, and that
   * need not wait for the disk.
   */
  lateTransaction<Result>(work: (db: SqliteDatabase) => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.exclusive.push(() =>
        this.inTurn(() => this.inTime(async () => work(this.db))).then(resolve, reject),
      );
      this.wake();
    });
  }

  /**
   * A transaction for who has the turn already: what a unit needs before its own transaction begins. It gets to the disk
   * with that one.
   */
  async inTurn<Result>(work: (db: SqliteDatabase) => Result | Promise<Result>): Promise<Result> {
    this.parts.log.assertWhole();
    try {
      await this.begin();
      const result = await work(this.db);
      this.db.exec('commit');
      return result;
    } catch (error) {
      if (this.db.inTransaction) this.db.exec('rollback');
      throw error;
    }
  }

  /** Refuses new units and waits for those that were accepted. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.running) await pause(1);
    await this.parts.log.close();
  }

  private wake(): void {
    if (this.running) return;
    this.running = true;
    setImmediate(() => this.step());
  }

  private step(): void {
    const task = this.exclusive.shift();
    if (task) {
      void task().finally(() => this.step());
      return;
    }
    if (this.pending.length === 0) {
      this.running = false;
      return;
    }
    void this.flush(this.takeBatch()).finally(() => this.step());
  }

  private takeBatch(): PendingUnit[] {
    const batch: PendingUnit[] = [];
    let changes = 0;
    while (this.pending.length > 0) {
      const size = this.pending[0]!.unit.changes.length;
      if (batch.length > 0 && (size > SMALL_UNIT || changes + size > MAX_BATCH_CHANGES)) break;
      batch.push(this.pending.shift()!);
      changes += size;
      if (size > SMALL_UNIT) break;
    }
    return batch;
  }

  private async flush(batch: readonly PendingUnit[]): Promise<void> {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.commit(batch);
    } catch (error) {
      outcomes = batch.map(() => ({ kind: 'failed', error }));
    }
    batch.forEach((pending, index) => {
      const outcome = outcomes[index]!;
      if (outcome.kind === 'done') this.parts.log.reached().then(pending.resolve, pending.reject);
      else pending.reject(outcome.error);
    });
  }

  private async commit(batch: readonly PendingUnit[]): Promise<readonly Outcome[]> {
    const slice = new TimeSlice();
    const fence = batch.length === 1 ? ALONE : SAVEPOINT;
    this.parts.log.assertWhole();
    try {
      const prepared = await this.prepareAll(batch, slice);
      await this.begin();
      const outcomes: Outcome[] = [];
      for (let index = 0; index < batch.length; index++) {
        outcomes.push(await this.writePrepared({ unit: batch[index]!.unit, fence, slice }, prepared[index]!));
      }
      // The commit of a long unit is a long step of its own.
      if (batch[0]!.unit.changes.length > SMALL_UNIT) await slice.yield();
      if (this.db.inTransaction) this.db.exec('commit');
      return outcomes;
    } catch (error) {
      if (this.db.inTransaction) this.db.exec('rollback');
      throw error;
    }
  }

  /** SQLite would wait on the event loop's thread for another process; here everybody else goes on meanwhile. */
  private async begin(): Promise<void> {
    const end = performance.now() + this.limits.lock;
    for (;;) {
      try {
        this.db.exec('begin immediate');
        return;
      } catch (error) {
        if ((error as { readonly code?: string }).code !== 'SQLITE_BUSY') throw error;
        if (performance.now() > end) throw isLocked(error);
        await pause(LOCK_RETRY_MS);
      }
    }
  }

  private async prepareAll(batch: readonly PendingUnit[], slice: TimeSlice): Promise<readonly Prepared[]> {
    const { dictionary, allocator } = this.parts;
    const units = batch.map(({ unit }) => unit);
    const names = new RowNames(dictionary, (added) => allocator.addNames(added));
    const firstRowId = await allocator.takeRowIds(countCreates(units));
    const prepareEach = async (): Promise<readonly Prepared[]> => {
      let rowId = firstRowId;
      const prepared: Prepared[] = [];
      for (const unit of units)
        prepared.push(await prepareUnit(unit, { names, nextRowId: () => rowId++, slice }));
      return prepared;
    };
    const prepared = await prepareEach();
    if (names.isComplete) return prepared;
    await names.settle();
    return prepareEach();
  }

  private async writePrepared(writing: Writing, prepared: Prepared): Promise<Outcome> {
    if (prepared.kind === 'failed') return prepared;
    return this.writeFenced(writing, prepared);
  }

  private async writeFenced({ unit, fence, slice }: Writing, prepared: PreparedUnit): Promise<Outcome> {
    this.db.exec(fence.open);
    try {
      await this.writeUnit(unit, prepared, slice);
      for (const { partition, id } of unit.attaches ?? [])
        this.db.prepare(BLOB_SQL.unstage).run(partition, id);
      const { beforeCommit } = unit;
      if (beforeCommit) await this.inTime(beforeCommit);
      this.db.exec(fence.keep);
      return { kind: 'done' };
    } catch (error) {
      if (!this.db.inTransaction) throw error;
      this.db.exec(fence.undo);
      return { kind: 'failed', error };
    }
  }

  /** What never ends, or waits for a write of its own, must not end all writing. */
  private async inTime<Result>(work: () => Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(isLate(this.limits.hooks)), this.limits.hooks);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async writeUnit(
    unit: WriteUnit,
    { changes: prepared, copies }: PreparedUnit,
    slice: TimeSlice,
  ): Promise<void> {
    const kept = this.parts.writer.assertWritable(prepared);
    const targets = new Map<string, number>();
    const rowIds: number[] = [];
    for (const change of prepared) {
      rowIds.push(this.parts.writer.writeVersion(change, targets));
      if (slice.isOver()) await slice.yield();
    }
    for (let index = 0; index < prepared.length; index++) {
      this.parts.writer.writeIndex(prepared[index]!, rowIds[index]!, targets);
      if (slice.isOver()) await slice.yield();
    }
    for (const one of copies) {
      this.parts.writer.writeCopies(one);
      if (slice.isOver()) await slice.yield();
    }
    for (let index = 0; index < prepared.length; index++) {
      this.parts.writer.assertUnreferenced(prepared[index]!, rowIds[index]!);
      if (slice.isOver()) await slice.yield();
    }
    this.parts.writer.writeUsage(unit, kept);
  }
}

function isLocked(cause: unknown): FhirError {
  const headers = { 'Retry-After': '1' };
  return new FhirError('BUSY', 'Another process is writing to the database.', { cause, headers });
}

function isLate(limit: number): Error {
  return new Error(
    `Hooks inside a transaction took longer than ${limit} ms; they must end soon, and must not wait for a write.`,
  );
}

function countCreates(units: readonly WriteUnit[]): number {
  let count = 0;
  for (const { changes } of units) for (const { kind } of changes) if (kind === 'create') count++;
  return count;
}

/** What the changes of a batch are prepared with. */
interface Preparing {
  readonly names: RowNames;
  readonly nextRowId: () => number;
  readonly slice: TimeSlice;
}

async function prepareUnit(unit: WriteUnit, { names, nextRowId, slice }: Preparing): Promise<Prepared> {
  const changes: PreparedChange[] = [];
  try {
    for (const change of unit.changes) {
      changes.push(prepareChange(names, change, nextRowId));
      if (slice.isOver()) await slice.yield();
    }
    return { kind: 'prepared', changes, copies: await prepareCopies(names, unit.copies, changes) };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
