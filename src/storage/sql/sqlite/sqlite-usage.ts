import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import type { PartitionUsage } from '../../../model/quota.js';
import type { UsageCount } from '../../partition-usage.js';
import type { HomeUsage } from '../../placement/home.js';
import { type Counted, type CountMoment, type CountSteps, countUsage } from '../usage-count.js';
import { EXPORT_SQL } from './export-sql.js';
import type { SqliteDatabase } from './open.js';
import type { SnapshotThreads } from './snapshot-threads.js';
import { WRITE_SQL } from './statements.js';
import { USAGE_SQL } from './usage-sql.js';
import type { UsageRow } from './usage-writer.js';
import type { WriteQueue } from './write-queue.js';

/** What is kept of what the partitions of a file hold; they are counted in threads. */
export class SqliteUsage implements HomeUsage, CountSteps {
  constructor(
    private readonly db: SqliteDatabase,
    private readonly parts: {
      readonly file: string;
      readonly queue: Pick<WriteQueue, 'transaction'>;
      readonly snapshots: SnapshotThreads;
    },
  ) {}

  async read(partition: PartitionId): Promise<PartitionUsage | undefined> {
    const row = this.db.prepare(USAGE_SQL.read).raw().get({ partition }) as UsageRow | undefined;
    return row?.[2] === 1 ? toUsage(row) : undefined;
  }

  count(partition: PartitionId): Promise<UsageCount | undefined> {
    return countUsage(this, partition);
  }

  bring(partition: PartitionId, usage: PartitionUsage | undefined): Promise<void> {
    return this.parts.queue.transaction((db) => {
      if (usage === undefined) db.prepare(USAGE_SQL.forget).run({ partition });
      else db.prepare(USAGE_SQL.bring).run({ partition, ...usage });
    });
  }

  /** The snapshot is taken while nobody writes: its thread is ready before. */
  async freeze<Result>(
    counted: Counted,
    work: (moment: CountMoment) => Promise<Result>,
  ): Promise<Result | undefined> {
    const { file, queue, snapshots } = this.parts;
    const { partition } = counted;
    return snapshots.use(file, async (thread) => {
      await thread.rows(file, EXPORT_SQL.look, []);
      const row = await queue.transaction(async (db) => {
        const begun = begin(db, counted);
        if (begun !== undefined) await thread.run({ kind: 'begin', file });
        return begun;
      });
      if (row === undefined) return undefined;
      const before = toUsage(row);
      const count = async (): Promise<PartitionUsage> => {
        const places = [partition, partition, partition, partition];
        const [found] = await thread.seenRows(file, USAGE_SQL.count, places);
        return toUsage(found as readonly number[]);
      };
      return work({ kept: row[2] === 1 ? before : null, before, count });
    });
  }

  beat(counted: Counted): Promise<void> {
    return this.parts.queue.transaction((db) => {
      db.prepare(USAGE_SQL.beat).run({ ...counted, now: Date.now() });
    });
  }

  finish(counted: Counted, missing: PartitionUsage): Promise<boolean> {
    return this.parts.queue.transaction(
      (db) => db.prepare(USAGE_SQL.finish).run({ ...counted, ...missing }).changes === 1,
    );
  }
}

/** @throws FhirError UNKNOWN_PARTITION */
function begin(db: SqliteDatabase, counted: Counted): UsageRow | undefined {
  const { partition } = counted;
  if (db.prepare(WRITE_SQL.horizon).get({ partition }) === undefined)
    throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
  return db
    .prepare(USAGE_SQL.begin)
    .raw()
    .get({ ...counted, now: Date.now() }) as UsageRow | undefined;
}

function toUsage([resources = 0, bytes = 0]: readonly number[]): PartitionUsage {
  return { resources, bytes };
}
