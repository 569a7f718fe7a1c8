import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import type { CopyPath, HomeCopies, StaleTarget } from '../../placement/home.js';
import type { CopyRule } from '../../store.js';
import { copyParams, settledCopyIds, staleParams, STALE_COPIES } from '../copies.js';
import { RowNames } from '../row-names.js';
import { float8Array, int4Array, int8Array } from './binary-array.js';
import type { PostgresConnections } from './connections.js';
import { COPY_SQL, copyStatement } from './copy-sql.js';
import { refusalOf } from './database-error.js';
import type { PostgresDictionary } from './postgres-dictionary.js';

/** Copies in one database or schema. */
export class PostgresCopies implements HomeCopies {
  constructor(
    private readonly connections: PostgresConnections,
    private readonly dictionary: PostgresDictionary,
  ) {}

  async renew(partition: PartitionId, rowIds: readonly number[], rules: readonly CopyRule[]): Promise<void> {
    const ids = await settledCopyIds(this.names(), rules);
    const statement = copyStatement({ partition, rules: ids, owners: rowIds, changed: [] });
    try {
      await this.connections.write([partition], [statement], 'exclusive');
    } catch (error) {
      if (refusalOf(error)?.kind !== 'gone') throw error;
      throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
    }
  }

  async stale(
    partition: PartitionId,
    types: readonly string[],
    limit: number,
  ): Promise<readonly StaleTarget[]> {
    await this.dictionary.load();
    const params = staleParams(this.dictionary, types);
    const values = [partition, int4Array([...params.keys()]), limit];
    const [found] = await this.connections.read([partition], [{ text: COPY_SQL.stale, values }]);
    const rows = (found?.rows ?? []) as readonly (readonly [number, number, number])[];
    return rows.map(([param, rowId, mark]) => ({ type: params.get(param) ?? '', rowId, mark }));
  }

  doubt(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    return this.write(COPY_SQL.doubt, partition, targets);
  }

  settle(partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    return this.write(COPY_SQL.settle, partition, targets);
  }

  async drop(partition: PartitionId, paths: readonly CopyPath[], limit: number): Promise<number> {
    await this.dictionary.load();
    const params = copyParams(this.dictionary, paths);
    if (params.length === 0) return 0;
    const statement = { text: COPY_SQL.drop, values: [partition, int4Array(params), limit] };
    const [result] = await this.connections.write([partition], [statement], 'shared');
    return result?.count ?? 0;
  }

  private async write(text: string, partition: PartitionId, targets: readonly StaleTarget[]): Promise<void> {
    const names = this.names();
    const params = (): readonly number[] =>
      targets.map(({ type }) => names.ensurePath(type, 'composite', STALE_COPIES));
    params();
    if (!names.isComplete) await names.settle();
    const values = [
      partition,
      int4Array(params()),
      int8Array(targets.map(({ rowId }) => rowId)),
      float8Array(targets.map(({ mark }) => mark)),
    ];
    await this.connections.write([partition], [{ text, values }], 'shared');
  }

  private names(): RowNames {
    return new RowNames(this.dictionary, (added) => this.dictionary.add(added));
  }
}
