import { FhirError } from '../model/errors.js';
import type { PartitionId } from '../model/partition.js';
import { MOVE_JOB } from '../storage/placement/partition-mover.js';
import type { Storage } from '../storage/storage.js';

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

/** Deletes what is older than it may be kept, by the partition date of resources; those without one stay. */
export class PartitionRetention {
  constructor(
    private readonly storage: Pick<Storage, 'useRows' | 'partitions'>,
    private readonly clock: () => number,
  ) {}

  /** Can be run again after it was stopped. @throws FhirError INVALID_PARTITION, PARTITION_MOVING */
  async run(partition: PartitionId, date: string): Promise<Retained> {
    this.assertPast(date);
    await this.assertSettled(partition);
    return this.storage.useRows(partition, async (rows) => {
      let [resources, versions, indexRows] = [0, 0, 0];
      for await (const deleted of rows.retain(partition, date, BATCH_ROWS)) {
        resources += deleted.resources;
        versions += deleted.versions;
        indexRows += deleted.indexRows;
        await this.assertSettled(partition);
      }
      return { resources, versions, indexRows, dangling: await rows.danglingLinks(partition) };
    });
  }

  private assertPast(date: string): void {
    const time = CALENDAR_DATE.test(date) ? Date.parse(date) : Number.NaN;
    // A day that a month does not have becomes one of the next month.
    if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(date)) {
      throw new FhirError('INVALID_PARTITION', `'${date.slice(0, 40)}' is no date; write YYYY-MM-DD.`);
    }
    if (time <= this.clock()) return;
    throw new FhirError('INVALID_PARTITION', `${date} is in the future: everything would be deleted.`);
  }

  private async assertSettled(partition: PartitionId): Promise<void> {
    const jobs = await this.storage.partitions.jobs();
    const isMoving = jobs.some(
      (job) => job.kind === MOVE_JOB && job.partition === partition && job.state === 'running',
    );
    if (isMoving) throw new FhirError('PARTITION_MOVING', 'The partition is being moved to another place.');
  }
}
