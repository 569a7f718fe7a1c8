import knex, { type Knex } from 'knex';

/** Everything in which the search SQL of one database differs from another's. */
export interface SearchDialect {
  /** Compiles only; it has no connection. */
  readonly knex: Knex;
  /** Condition: the column is in the JSON array that is bound to the one `?`. */
  readonly inJsonList: (column: string) => string;
  /** Table: the numbers of the JSON array that is bound to the one `?`, as column `value` of the alias. */
  readonly jsonNumbers: (alias: string) => string;
  /** The column in a test that no index shall serve: its list is probed, not walked once for each row. */
  readonly probed: (column: string) => string;
  /** Condition: the column contains the text that is bound to the one `?`. */
  readonly contains: (column: string) => string;
}

/** SQLite, through better-sqlite3's placeholders. */
export function sqliteSearchDialect(): SearchDialect {
  return {
    knex: knex({ client: 'better-sqlite3', useNullAsDefault: true, wrapIdentifier: (name) => name }),
    inJsonList: (column) => `${column} in (select value from json_each(?))`,
    jsonNumbers: (alias) => `json_each(?) as ${alias}`,
    probed: (column) => `+${column}`,
    contains: (column) => `instr(${column}, ?) > 0`,
  };
}
