import type { PartitionId } from '../../model/partition.js';

/** How a statement is planned, where the database plans at all. */
export type StatementPlan = 'generic' | 'fixed' | 'custom';

/** One SELECT that is ready to run. */
export interface SqlStatement {
  readonly sql: string;
  readonly bindings: readonly SqlValue[];
  /** `cheap` runs at once beside other requests; `expensive` off the main thread and with a time limit. */
  readonly cost: 'cheap' | 'expensive';
  /** The partitions whose rows it may see, for databases that keep a second watch over that. */
  readonly partitions: readonly PartitionId[];
  /**
   * `generic`: walks along indexes that one plan serves for all values. `fixed`: so does one that joins in the order in
   * which the tables stand, with a time limit. `custom`: better planned for its values.
   */
  readonly plan: StatementPlan;
  /** Tells whether an expensive statement is short this time, where that is not known before. */
  readonly probe?: SqlProbe;
}

/** Counts the rows that a statement is to look at, up to `most`: one row with one number. Below that it is short. */
export interface SqlProbe {
  readonly sql: string;
  readonly bindings: readonly SqlValue[];
  readonly most: number;
}

/** What a statement may be given and may answer in a column. */
export type SqlValue = string | number | null;

/** Runs SELECTs. Rows come as arrays in the order of the columns. @throws FhirError SEARCH_TIMEOUT */
export interface SqlReader {
  all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]>;
  /** Several of the same partitions and plan in one round trip; left out where a statement takes none. */
  together?(statements: readonly SqlStatement[]): Promise<readonly (readonly (readonly unknown[])[])[]>;
}
