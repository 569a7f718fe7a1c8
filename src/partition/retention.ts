import { FhirError } from '../model/errors.js';
import type { PartitionId } from '../model/partition.js';
import type { HomeRows } from '../storage/placement/home.js';
import { MOVE_JOB } from '../storage/placement/partition-mover.js';
import type { Storage } from '../storage/storage.js';
import type { CopyRules } from './renew-copies.js';

/** What a retention deleted, and links that lead nowhere now. */
export interface Retained {
  readonly resources: number;
  /** Superseded versions. */
  readonly versions: number;
  /** Index rows, links, claims and pieces of blobs. */
  readonly indexRows: number;
  /** Links of the partition's resources to resources that are not there any more. */
  readonly dangling: number;
}

/** Rows that are looked at in one transaction: writers wait a few milliseconds at most. */
const BATCH_ROWS = 2_000;
/** Databases have no year 0. */
const CALENDAR_DATE = /^(?!0000)\d{4}-\d{2}-\d{2}$/;

/** What retention works with. */
export interface PartitionRetentionParts {
  readonly storage: Pick<Storage, 'useRows' | 'partitions'>;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
  readonly copies: () => CopyRules;
}

/** Deletes what is older than it may be kept, by the partition date of resources; those without one stay. */
export class PartitionRetention {
  constructor(private readonly parts: PartitionRetentionParts) {}

  /** Can be run again after it was stopped. @throws FhirError INVALID_PARTITION, PARTITION_MOVING */
  async run(partition: PartitionId, date: string): Promise<Retained> {
    this.assertPast(date);
    await this.assertSettled(partition);
    return this.parts.storage.useRows(partition, async (rows) => {
      await this.doubtCopies(rows, partition);
      let [resources, versions, indexRows] = [0, 0, 0];
      for await (const deleted of rows.retain(partition, date, BATCH_ROWS)) {
        resources += deleted.resources;
        versions += deleted.versions;
        indexRows += deleted.indexRows;
        // Copies may have been renewed meanwhile.
        if (deleted.resources > 0) await this.doubtCopies(rows, partition);
        await this.assertSettled(partition);
      }
      return { resources, versions, indexRows, dangling: await rows.danglingLinks(partition) };
    });
  }

  /** What is kept may have copies of what is deleted. */
  private async doubtCopies({ copies }: HomeRows, partition: PartitionId): Promise<void> {
    const mark = performance.timeOrigin + performance.now();
    const stale = this.parts
      .copies()
      .targetTypes()
      .map((type) => ({ type, rowId: 0, mark }));
    if (stale.length > 0) await copies.doubt(partition, stale);
  }

  private assertPast(date: string): void {
    const time = CALENDAR_DATE.test(date) ? Date.parse(date) : Number.NaN;
    // A day that a month does not have becomes one of the next month.
    if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(date)) {
      throw new FhirError('INVALID_PARTITION', `'${date.slice(0, 40)}' is no date; write YYYY-MM-DD.`);
    }
    if (time <= this.parts.clock()) return;
    throw new FhirError('INVALID_PARTITION', `${date} is in the future: everything would be deleted.`);
  }

  private async assertSettled(partition: PartitionId): Promise<void> {
    const jobs = await this.parts.storage.partitions.jobs();
    const isMoving = jobs.some(
      (job) => job.kind === MOVE_JOB && job.partition === partition && job.state === 'running',
    );
    if (isMoving) throw new FhirError('PARTITION_MOVING', 'The partition is being moved to another place.');
  }
}
