/** Common to all: the partition and the partition date. */
export const LEADING_PARAMETERS = 2;

/** Numbers the parameters of one statement, in the order in which its arrays are given. */
export class Parameters {
  private count = LEADING_PARAMETERS;

  next(type: string): string {
    return `$${++this.count}::${type}[]`;
  }

  /** `unnest` of one array for each column. */
  rows(columns: readonly (readonly [name: string, type: string])[]): string {
    return `unnest(${columns.map(([, type]) => this.next(type)).join(', ')})`;
  }
}

/** The names of columns, as a list. */
export const names = (columns: readonly (readonly [string, string])[]): string =>
  columns.map(([name]) => name).join(', ');
