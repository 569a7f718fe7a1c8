import type { Statement } from 'better-sqlite3';
import type { PartitionId } from '../../../model/partition.js';
import { excessOf, limitsOf, type UsageChange, usageChanges } from '../../partition-usage.js';
import { WriteConflictError, type WriteUnit } from '../../store.js';
import type { SqliteDatabase } from './open.js';
import { USAGE_SQL } from './usage-sql.js';

/** A row of HFJ_PARTITION_USAGE. */
export type UsageRow = readonly [resources: number, bytes: number, counted: number];

/** Keeps what partitions hold, in the transactions of their writers. */
export class UsageWriter {
  private readonly add: Statement;

  constructor(db: SqliteDatabase) {
    this.add = db.prepare(USAGE_SQL.add).raw();
  }

  /** One statement for each partition of the unit of which it is `kept`. @throws WriteConflictError */
  write(unit: WriteUnit, kept: ReadonlySet<PartitionId>): void {
    if (kept.size === 0 && unit.limits === undefined) return;
    for (const change of usageChanges([unit])) this.writeOne(change, kept.has(change.partition));
  }

  private writeOne(changed: UsageChange, isKept: boolean): void {
    const { partition, resources, bytes, change } = changed;
    const row = isKept ? (this.add.get({ partition, resources, bytes }) as UsageRow) : undefined;
    const isCounted = row?.[2] === 1;
    if (!isCounted && limitsOf(changed) !== undefined)
      throw new WriteConflictError({ kind: 'uncounted', change });
    if (row === undefined || !isCounted) return;
    const usage = { resources: row[0], bytes: row[1] };
    const excess = excessOf(changed, usage);
    if (excess !== undefined) throw new WriteConflictError(excess);
    for (const { tell } of changed.limits) tell(usage);
  }
}
