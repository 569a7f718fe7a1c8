import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import { type Change, claimsOf, WriteConflictError, type WriteUnit } from '../../store.js';
import type { PreparedUnit } from './prepared-unit.js';
import type { PostgresUnitWriter } from './unit-writer.js';

/** Units of at most this many changes share a transaction with their neighbours. */
const SMALL_UNIT = 16;
/** A shared transaction holds at most this many changes. */
const MAX_BATCH_CHANGES = 128;

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A unit that is being written, and those that want to change the same. */
interface Holder {
  readonly rivals: { readonly pending: PendingUnit; readonly change: Change }[];
}

/** One unit of a batch: its rows are ready. */
interface ReadyUnit {
  readonly pending: PendingUnit;
  readonly unit: PreparedUnit;
}

/**
 * Group commit: small units of one partition that arrive while others are being written go into the next
 * transaction together. Where one of them is refused, each is tried by itself, so that it fails nobody else. Units
 * that want to change the same do not race: the later ones wait for the first and hear of the conflict at once.
 */
export class PostgresWriteQueue {
  private readonly pending = new Map<PartitionId, PendingUnit[]>();
  private readonly holders = new Map<string, Holder>();
  private readonly alone: (() => Promise<void>)[] = [];
  private batches = 0;
  private loners = 0;
  private scheduled = false;
  private readonly running = new Set<Promise<void>>();
  private closed = false;

  /** `most`: shared transactions that may be under way at once, and as many that are by themselves. */
  constructor(
    private readonly writer: PostgresUnitWriter,
    private readonly most: number,
  ) {}

  async write(unit: WriteUnit): Promise<void> {
    if (this.closed) throw new Error('The store is closed.');
    return new Promise((resolve, reject) => {
      this.enqueue({ unit, resolve, reject });
    });
  }

  /** Refuses new units and waits for those that were accepted. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.running.size + this.pending.size + this.alone.length > 0) {
      await Promise.allSettled([...this.running, new Promise((resolve) => setImmediate(resolve))]);
    }
  }

  private enqueue(pending: PendingUnit): void {
    const partition = sharedPartition(pending.unit);
    if (partition === undefined) this.alone.push(() => this.writeAlone(pending));
    else {
      const waiting = this.pending.get(partition);
      if (waiting) waiting.push(pending);
      else this.pending.set(partition, [pending]);
    }
    this.schedule();
  }

  /** Everything that arrives in this turn of the event loop is taken together. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Partitions take turns: the one that was served goes to the end. */
  private flush(): void {
    while (this.loners < this.most && this.alone.length > 0) {
      this.loners++;
      this.track(this.alone.shift()!(), () => this.loners--);
    }
    while (this.batches < this.most) {
      const [next] = this.pending;
      if (next === undefined) return;
      const [partition, waiting] = next;
      this.pending.delete(partition);
      const batch = this.takeBatch(waiting);
      if (waiting.length > 0) this.pending.set(partition, waiting);
      if (batch.length === 0) continue;
      this.batches++;
      this.track(this.writeBatch(batch), () => this.batches--);
    }
  }

  private track(work: Promise<void>, end: () => void): void {
    this.running.add(work);
    void work.finally(() => {
      this.running.delete(work);
      end();
      this.schedule();
    });
  }

  /** Units that would change what somebody is changing already wait for that one's end instead. */
  private takeBatch(waiting: PendingUnit[]): readonly PendingUnit[] {
    const batch: PendingUnit[] = [];
    let changes = 0;
    while (waiting.length > 0 && (batch.length === 0 || changes < MAX_BATCH_CHANGES)) {
      const pending = waiting.shift()!;
      if (this.joinHolder(pending)) continue;
      const holder: Holder = { rivals: [] };
      for (const change of pending.unit.changes) {
        for (const key of keysOf(change)) this.holders.set(key, holder);
      }
      batch.push(pending);
      changes += pending.unit.changes.length;
    }
    return batch;
  }

  private joinHolder(pending: PendingUnit): boolean {
    for (const change of pending.unit.changes) {
      const holder = keysOf(change)
        .map((key) => this.holders.get(key))
        .find((found) => found !== undefined);
      if (holder === undefined) continue;
      holder.rivals.push({ pending, change });
      return true;
    }
    return false;
  }

  /** Never rejects: each unit hears of its own end. */
  private async writeBatch(batch: readonly PendingUnit[]): Promise<void> {
    const ready: ReadyUnit[] = [];
    for (const pending of batch) {
      try {
        ready.push({ pending, unit: await this.writer.prepare(pending.unit) });
      } catch (error) {
        this.fail(pending, error);
      }
    }
    if (ready.length === 0) return;
    try {
      await this.writer.writeTogether(ready.map(({ unit }) => unit));
      for (const one of ready) this.succeed(one);
    } catch (error) {
      if (ready.length === 1 || concernsAll(error))
        for (const { pending } of ready) this.fail(pending, error);
      else for (const one of ready) await this.writeReady(one);
    }
  }

  private async writeReady(ready: ReadyUnit): Promise<void> {
    try {
      await this.writer.writeTogether([ready.unit]);
      this.succeed(ready);
    } catch (error) {
      this.fail(ready.pending, error);
    }
  }

  private async writeAlone({ unit, resolve, reject }: PendingUnit): Promise<void> {
    try {
      const prepared = await this.writer.prepare(unit);
      if (unit.beforeCommit) await this.writer.writeInTransaction(prepared, unit.beforeCommit);
      else await this.writer.writeTogether([prepared]);
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  private succeed({ pending, unit }: ReadyUnit): void {
    pending.resolve();
    for (const { change, rowId } of unit.changes) {
      const rivals = keysOf(change).flatMap((key) => this.release(key));
      for (const rival of rivals) rival.pending.reject(lostAgainst(rival.change, change, rowId));
    }
  }

  private fail(pending: PendingUnit, error: unknown): void {
    pending.reject(error);
    const rivals = pending.unit.changes.flatMap((change) =>
      keysOf(change).flatMap((key) => this.release(key)),
    );
    for (const rival of rivals) this.enqueue(rival.pending);
  }

  private release(key: string): Holder['rivals'] {
    const holder = this.holders.get(key);
    this.holders.delete(key);
    return holder?.rivals.splice(0) ?? [];
  }
}

/** What only one unit at a time may change: a resource by its id or row, and the claim of a condition. */
function keysOf(change: Change): readonly string[] {
  if (change.kind === 'delete') return [`row ${change.current.rowId}`];
  const { kind, type } = change;
  const partition = kind === 'create' ? change.assignment.partition : change.current.partition;
  const own = kind === 'create' ? `id ${partition} ${type}/${change.id}` : `row ${change.current.rowId}`;
  return [own, ...claimsOf(change).map(({ condition }) => `claim ${partition} ${type}?${condition}`)];
}

/** The conflict of a unit that waited for another one, which was written. */
function lostAgainst(rival: Change, winner: Change, rowId: number): WriteConflictError {
  const won = new Set(claimsOf(winner).map(({ condition }) => condition));
  const shared = claimsOf(rival).find(({ condition }) => won.has(condition));
  const isOther = keysOf(rival)[0] !== keysOf(winner)[0];
  return new WriteConflictError(
    shared && isOther
      ? { kind: 'claim', change: rival, condition: shared.condition, holder: rowId }
      : { kind: 'version', change: rival },
  );
}

/** The database is away, or nobody knows what it did: trying again one by one would make it worse. */
function concernsAll(error: unknown): boolean {
  return error instanceof FhirError && (error.code === 'BUSY' || error.code === 'OUTCOME_UNKNOWN');
}

/** The one partition of a unit that may share its transaction. */
function sharedPartition(unit: WriteUnit): PartitionId | undefined {
  const guarded = unit.changes.some((change) => change.kind === 'delete' && change.referrers === 'forbid');
  if (guarded || unit.beforeCommit !== undefined || unit.changes.length > SMALL_UNIT) return undefined;
  const partitions = new Set(
    unit.changes.map((change) =>
      change.kind === 'create' ? change.assignment.partition : change.current.partition,
    ),
  );
  const [only] = partitions;
  return partitions.size === 1 ? only : undefined;
}
