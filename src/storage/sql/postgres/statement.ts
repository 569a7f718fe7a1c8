import type { PartitionId } from '../../../model/partition.js';
import type { CopyTarget } from './copied-rows.js';

/** One statement of a pipeline. With a name it is prepared once for each connection. */
export interface PgStatement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly PgValue[];
  /** Of a COPY to the client: takes what comes. */
  readonly target?: CopyTarget;
}

/** What a statement may be given: a Buffer is sent in PostgreSQL's binary format, everything else as text. */
export type PgValue = string | number | boolean | null | Buffer;

/** What one statement answered. Rows are arrays in the order of the columns. */
export interface PgResult {
  readonly rows: readonly (readonly unknown[])[];
  /** Rows that were returned or changed. */
  readonly count: number;
}

/** The partitions whose rows a transaction may see: row-level security shows no others. `none`: no row at all. */
export type PgScope = readonly PartitionId[] | 'none';
