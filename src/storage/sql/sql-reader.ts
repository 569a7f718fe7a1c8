/** One SELECT that is ready to run. */
export interface SqlStatement {
  readonly sql: string;
  readonly bindings: readonly SqlValue[];
  /** `cheap` runs at once beside other requests; `expensive` off the main thread and with a time limit. */
  readonly cost: 'cheap' | 'expensive';
}

/** What a statement may be given and may answer in a column. */
export type SqlValue = string | number | null;

/** Runs SELECTs. Rows come as arrays in the order of the columns. @throws FhirError SEARCH_TIMEOUT */
export interface SqlReader {
  all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]>;
}
