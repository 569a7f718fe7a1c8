import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WriteUnit } from '../../store.js';
import { TimeSlice } from '../../time-slice.js';
import type { SqliteDatabase } from './open.js';
import { BLOB_SQL } from './sqlite-blobs.js';
import type { PreparedChange, UnitWriter } from './unit-writer.js';

/** Units of at most this many changes share a transaction with their neighbours. */
const SMALL_UNIT = 16;
/** A shared transaction holds at most this many changes. */
const MAX_BATCH_CHANGES = 256;

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Group commit: units that arrive while another transaction is under way are committed together by the next
 * one, each behind its own savepoint, so that one refused unit never fails its neighbours. A caller hears of
 * its unit only after the commit is on disk. There is one transaction at a time, and this queue is the only
 * user of the writer's connection while it is not idle.
 */
export class WriteQueue {
  private readonly db: SqliteDatabase;
  private readonly writer: UnitWriter;
  private pending: PendingUnit[] = [];
  private running = false;
  private readonly exclusive: (() => Promise<void>)[] = [];
  private closed = false;

  constructor(db: SqliteDatabase, writer: UnitWriter) {
    this.db = db;
    this.writer = writer;
  }

  write(unit: WriteUnit): Promise<void> {
    if (this.closed) return Promise.reject(new Error('The store is closed.'));
    return new Promise((resolve, reject) => {
      this.pending.push({ unit, resolve, reject });
      this.wake();
    });
  }

  /** Runs `work` alone on the writer's connection, inside a transaction of its own. */
  async transaction<Result>(work: (db: SqliteDatabase) => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.exclusive.push(async () => {
        try {
          this.db.exec('begin immediate');
          const result = await work(this.db);
          this.db.exec('commit');
          resolve(result);
        } catch (error) {
          if (this.db.inTransaction) this.db.exec('rollback');
          reject(error);
        }
      });
      this.wake();
    });
  }

  /** Refuses new units and waits for those that were accepted. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.running) await nextTurn();
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
      if (outcome.kind === 'done') pending.resolve();
      else pending.reject(outcome.error);
    });
  }

  private async commit(batch: readonly PendingUnit[]): Promise<readonly Outcome[]> {
    const slice = new TimeSlice();
    const prepared: PreparedChange[][] = [];
    for (const { unit } of batch) prepared.push(await this.prepare(unit, slice));
    this.db.exec('begin immediate');
    try {
      const outcomes: Outcome[] = [];
      for (let index = 0; index < batch.length; index++) {
        outcomes.push(await this.writeBehindSavepoint(batch[index]!.unit, prepared[index]!, slice));
      }
      this.db.exec('commit');
      return outcomes;
    } catch (error) {
      if (this.db.inTransaction) this.db.exec('rollback');
      throw error;
    }
  }

  private async prepare(unit: WriteUnit, slice: TimeSlice): Promise<PreparedChange[]> {
    const prepared: PreparedChange[] = [];
    for (const change of unit.changes) {
      prepared.push(this.writer.prepare(change));
      if (slice.isOver()) await slice.yield();
    }
    return prepared;
  }

  private async writeBehindSavepoint(
    unit: WriteUnit,
    prepared: readonly PreparedChange[],
    slice: TimeSlice,
  ): Promise<Outcome> {
    this.db.exec('savepoint UNIT');
    try {
      await this.writeUnit(prepared, slice);
      for (const { partition, id } of unit.attaches ?? [])
        this.db.prepare(BLOB_SQL.unstage).run(partition, id);
      if (unit.beforeCommit) await unit.beforeCommit();
      this.db.exec('release UNIT');
      return { kind: 'done' };
    } catch (error) {
      if (!this.db.inTransaction) throw error;
      this.db.exec('rollback to UNIT');
      this.db.exec('release UNIT');
      return { kind: 'failed', error };
    }
  }

  private async writeUnit(prepared: readonly PreparedChange[], slice: TimeSlice): Promise<void> {
    this.writer.assertInService(prepared);
    const targets = new Map<string, number>();
    const rowIds: number[] = [];
    for (const change of prepared) {
      rowIds.push(this.writer.writeVersion(change, targets));
      if (slice.isOver()) await slice.yield();
    }
    for (let index = 0; index < prepared.length; index++) {
      this.writer.writeIndex(prepared[index]!, rowIds[index]!, targets);
      if (slice.isOver()) await slice.yield();
    }
    prepared.forEach((change, index) => this.writer.assertUnreferenced(change, rowIds[index]!));
  }
}
