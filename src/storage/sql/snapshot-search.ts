import type { PartitionScope } from '../../model/partition.js';
import type { SnapshotSearch } from '../export-store.js';
import type { SearchPlan } from '../search-store.js';
import type { Dictionary } from './dictionary.js';
import type { SearchDialect } from './search-dialect.js';
import { SqlSearchStore } from './search-store.js';
import type { SqlReader, SqlStatement } from './sql-reader.js';

/** Numbers that are read of a statement at once. */
export const NUMBERS_AT_ONCE = 2_000;

/** Reads in a transaction that stays open. */
export interface SnapshotReader extends SqlReader {
  /** The one column of the rows, NUMBERS_AT_ONCE or fewer at a time: the rest is still to be worked out. */
  numbers(statement: SqlStatement): AsyncIterable<readonly number[]>;
}

/** Search in a snapshot. */
export class SqlSnapshotSearch extends SqlSearchStore implements SnapshotSearch {
  constructor(
    private readonly snapshot: SnapshotReader,
    dictionary: Dictionary,
    dialect?: SearchDialect,
  ) {
    super(snapshot, dictionary, dialect);
  }

  async *rowIds(scope: PartitionScope, plan: SearchPlan): AsyncGenerator<readonly number[]> {
    const statement = await this.statementOfRowIds(scope, plan);
    if (statement !== null) yield* this.snapshot.numbers(statement);
  }
}
