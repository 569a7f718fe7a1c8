import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { CopyPath, HomeCopies, StaleTarget } from '../../placement/home.js';
import type { CopyRule } from '../../store.js';
import { copyParams, settledCopyIds, staleParams, STALE_COPIES } from '../copies.js';
import type { Dictionary } from '../dictionary.js';
import { RowNames } from '../row-names.js';
import type { Allocator } from './allocator.js';
import { COPY_SQL, CopyWriter } from './copy-writer.js';
import type { SqliteDatabase } from './open.js';
import { WRITE_SQL } from './statements.js';
import type { WriteQueue } from './write-queue.js';

/** What copies are renewed with. */
interface SqliteCopiesParts {
  readonly queue: WriteQueue;
  readonly dictionary: Dictionary;
  readonly allocator: Pick<Allocator, 'addNames'>;
}

/** Copies in one SQLite file. */
export class SqliteCopies implements HomeCopies {
  private writer: CopyWriter | undefined;

  constructor(
    private readonly reader: SqliteDatabase,
    private readonly parts: SqliteCopiesParts,
  ) {}

  async renew(partition: PartitionId, rowIds: readonly number[], rules: readonly CopyRule[]): Promise<void> {
    const ids = await settledCopyIds(this.names(), rules);
    await this.parts.queue.transaction((db) => {
      if (
        partition !== DEFAULT_PARTITION_ID &&
        db.prepare(WRITE_SQL.isInService).get(partition) === undefined
      )
        throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
      this.writer ??= new CopyWriter(db);
      this.writer.write({ partition, rules: ids, owners: rowIds, changed: [] });
    });
  }

  async stale(
    partition: PartitionId,
    types: readonly string[],
    limit: number,
  ): Promise<readonly StaleTarget[]> {
    const { dictionary } = this.parts;
    await dictionary.catchUp();
    const params = staleParams(dictionary, types);
    const values = { partition, params: JSON.stringify([...params.keys()]), limit };
    const rows = this.reader.prepare(COPY_SQL.stale).raw().all(values) as [number, number, number][];
    return rows.map(([param, rowId, mark]) => ({ type: params.get(param) ?? '', rowId, mark }));
  }

  doubt(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    return this.each(COPY_SQL.addStale, partition, targets);
  }

  settle(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    return this.each(COPY_SQL.settle, partition, targets);
  }

  async drop(partition: PartitionId, paths: readonly CopyPath[], limit: number): Promise<number> {
    const { dictionary, queue } = this.parts;
    await dictionary.catchUp();
    const params = copyParams(dictionary, paths);
    if (params.length === 0) return 0;
    const values = { partition, params: JSON.stringify(params), limit };
    return queue.transaction((db) => db.prepare(COPY_SQL.drop).run(values).changes);
  }

  private async each(sql: string, partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    const names = this.names();
    const paramOf = ({ type }: StaleTarget): number => names.ensurePath(type, 'composite', STALE_COPIES);
    targets.forEach(paramOf);
    if (!names.isComplete) await names.settle();
    await this.parts.queue.transaction((db) => {
      const statement = db.prepare(sql);
      for (const target of targets) {
        const { rowId, mark } = target;
        statement.run({ partition, param: paramOf(target), rowId, mark });
      }
    });
  }

  private names(): RowNames {
    const { dictionary, allocator } = this.parts;
    return new RowNames(dictionary, (added) => allocator.addNames(added));
  }
}
