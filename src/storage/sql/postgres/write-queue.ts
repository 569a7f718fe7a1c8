import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import type { WriteUnit } from '../../store.js';
import type { PreparedUnit } from './prepared-unit.js';
import type { PostgresUnitWriter } from './unit-writer.js';

/** Units of at most this many changes share a transaction with their neighbours. */
const SMALL_UNIT = 16;
/** A shared transaction holds at most this many changes. */
const MAX_BATCH_CHANGES = 128;
/** Shared transactions under way at once; more would only wait for each other in the database. */
const MAX_IN_FLIGHT = 4;

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: small units of one partition that arrive while others are being written go into the next
 * transaction together. Where one of them is refused, each is tried by itself, so that it fails nobody else.
 */
export class PostgresWriteQueue {
  private readonly pending = new Map<PartitionId, PendingUnit[]>();
  private inFlight = 0;
  private scheduled = false;
  private readonly running = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly writer: PostgresUnitWriter) {}

  async write(unit: WriteUnit): Promise<void> {
    if (this.closed) throw new Error('The store is closed.');
    const partition = sharedPartition(unit);
    if (partition === undefined) return this.track(this.writeAlone(unit));
    return new Promise((resolve, reject) => {
      const waiting = this.pending.get(partition);
      if (waiting) waiting.push({ unit, resolve, reject });
      else this.pending.set(partition, [{ unit, resolve, reject }]);
      this.schedule();
    });
  }

  /** Refuses new units and waits for those that were accepted. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.running.size > 0 || this.pending.size > 0) {
      await Promise.allSettled([...this.running, new Promise((resolve) => setImmediate(resolve))]);
    }
  }

  private track(work: Promise<void>): Promise<void> {
    this.running.add(work);
    const forget = (): boolean => this.running.delete(work);
    work.then(forget, forget);
    return work;
  }

  private async writeAlone(unit: WriteUnit): Promise<void> {
    const prepared = await this.writer.prepare(unit);
    if (needsTransaction(unit)) await this.writer.writeInTransaction(prepared);
    else await this.writer.writeTogether([prepared]);
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
    while (this.inFlight < MAX_IN_FLIGHT) {
      const [next] = this.pending;
      if (next === undefined) return;
      const [partition, waiting] = next;
      this.pending.delete(partition);
      const batch = takeBatch(waiting);
      if (waiting.length > 0) this.pending.set(partition, waiting);
      this.inFlight++;
      void this.track(this.writeBatch(batch)).finally(() => {
        this.inFlight--;
        this.schedule();
      });
    }
  }

  /** Never rejects: each unit hears of its own end. */
  private async writeBatch(batch: readonly PendingUnit[]): Promise<void> {
    const prepared: { readonly pending: PendingUnit; readonly unit: PreparedUnit }[] = [];
    for (const pending of batch) {
      try {
        prepared.push({ pending, unit: await this.writer.prepare(pending.unit) });
      } catch (error) {
        pending.reject(error);
      }
    }
    if (prepared.length === 0) return;
    try {
      await this.writer.writeTogether(prepared.map(({ unit }) => unit));
      for (const { pending } of prepared) pending.resolve();
    } catch (error) {
      if (prepared.length === 1 || concernsAll(error))
        for (const { pending } of prepared) pending.reject(error);
      else await this.writeEach(prepared);
    }
  }

  private async writeEach(
    units: readonly { readonly pending: PendingUnit; readonly unit: PreparedUnit }[],
  ): Promise<void> {
    for (const { pending, unit } of units) {
      await this.writer.writeTogether([unit]).then(pending.resolve, pending.reject);
    }
  }
}

/** The database is away, or nobody knows what it did: trying again one by one would make it worse. */
function concernsAll(error: unknown): boolean {
  return error instanceof FhirError && (error.code === 'BUSY' || error.code === 'OUTCOME_UNKNOWN');
}

function needsTransaction(unit: WriteUnit): boolean {
  return (
    unit.beforeCommit !== undefined ||
    unit.changes.some((change) => change.kind === 'delete' && change.referrers === 'forbid')
  );
}

/** The one partition of a unit that may share its transaction. */
function sharedPartition(unit: WriteUnit): PartitionId | undefined {
  if (needsTransaction(unit) || unit.changes.length > SMALL_UNIT) return undefined;
  const partitions = new Set(
    unit.changes.map((change) =>
      change.kind === 'create' ? change.assignment.partition : change.current.partition,
    ),
  );
  const [only] = partitions;
  return partitions.size === 1 ? only : undefined;
}

function takeBatch(waiting: PendingUnit[]): readonly PendingUnit[] {
  let changes = 0;
  let count = 0;
  while (
    count < waiting.length &&
    (count === 0 || changes + waiting[count]!.unit.changes.length <= MAX_BATCH_CHANGES)
  ) {
    changes += waiting[count]!.unit.changes.length;
    count++;
  }
  return waiting.splice(0, count);
}
