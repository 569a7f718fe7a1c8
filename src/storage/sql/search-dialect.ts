import knex, { type Knex } from 'knex';
import { toKeyText } from './postgres/key-text.js';
import type { SqlValue } from './sql-reader.js';
import { POSTGRES_TEXT, SQLITE_TEXT, type TextDialect } from './text-dialect.js';

/** Everything in which the search SQL of one database differs from another's. */
export interface SearchDialect {
  /** Compiles only; it has no connection. */
  readonly knex: Knex;
  /** Condition: the column is in the JSON array of numbers that is bound to the one `?`. */
  readonly inJsonList: (column: string) => string;
  /** Condition: the column, a RES_ID, is in the JSON array of numbers that is bound to the one `?`. */
  readonly inRowIds: (column: string) => string;
  /** Condition: the column is in the JSON array of texts that is bound to the one `?`; an index is sought for each. */
  readonly inTexts: (column: string) => string;
  /** Table: the numbers of the JSON array that is bound to the one `?`, as column `value` of the alias. */
  readonly jsonNumbers: (alias: string) => string;
  /** Condition: the column is in the list, which is the query of the one `?`; collected once, then probed. */
  readonly inList: (column: string) => string;
  /** The same where an index on the column would tempt: the list is never walked for each row. */
  readonly inProbedList: (column: string) => string;
  /** Rows of a list that may be long, in the order in which it is collected fastest. */
  readonly collected: (query: Knex.QueryBuilder, column: string) => Knex.QueryBuilder;
  /** The column where no index on it is to be walked: another one is better. */
  readonly unsought: (column: string) => string;
  /** A PARTITION_ID where rows are found by their resource, whatever else an index offers. */
  readonly ofResource: (column: string) => string;
  /** Condition: the column contains the text that is bound to the one `?`. */
  readonly contains: (column: string) => string;
  /** A PARTITION_DATE as days since 1970. */
  readonly days: (column: string) => string;
  /** How rows are sought one by one for each row of another query: by the order of a join, or by a lateral query. */
  readonly seeks: 'ordered' | 'lateral';
  /** Tries the query of an EXISTS for each row of the query around it, instead of collecting all its rows. */
  readonly tried: (query: Knex.QueryBuilder) => Knex.QueryBuilder;
  /** A token, URI or URL as it stands in the index. */
  readonly toKey: (text: string) => string;
  /** What stands behind a table whose rows are looked up by RES_ID, where another index would tempt. */
  readonly byRowId: string;
  /** Rows of a range that are collected sooner than looked for one by one in a long count; null: seeks are as fast. */
  readonly mostCollected: number | null;
  /** Counting so far keeps nobody waiting, and most counts end before; null where a long count keeps nobody waiting. */
  readonly quickCount: number | null;
  /** What stands before a statement that is to be planned only; each row ends with one step. */
  readonly explain: string;
  readonly text: TextDialect;
  /** What the database takes for a value. */
  readonly toBinding: (value: SqlValue) => SqlValue;
}

/** SQLite, through better-sqlite3's placeholders. */
export function sqliteSearchDialect(): SearchDialect {
  return {
    knex: knex({ client: 'better-sqlite3', useNullAsDefault: true, wrapIdentifier: (name) => name }),
    inJsonList: (column) => `${column} in (select value from json_each(?))`,
    inRowIds: (column) => `${column} in (select value from json_each(?))`,
    inTexts: (column) => `${column} in (select value from json_each(?))`,
    jsonNumbers: (alias) => `json_each(?) as ${alias}`,
    inList: (column) => `${column} in ?`,
    // In order, every row is put at the end of the list.
    collected: (query, column) => query.orderByRaw(column),
    inProbedList: (column) => `+${column} in ?`,
    unsought: (column) => `+${column}`,
    ofResource: (column) => `+${column}`,
    contains: (column) => `instr(${column}, ?) > 0`,
    days: (column) => column,
    seeks: 'ordered',
    byRowId: ' not indexed',
    mostCollected: null,
    quickCount: 250,
    explain: 'explain query plan',
    text: SQLITE_TEXT,
    tried: (query) => query,
    toKey: (text) => text,
    toBinding: (value) => value,
  };
}

/** PostgreSQL, through numbered placeholders. Values go as text, so their types come from where they stand. */
export function postgresSearchDialect(): SearchDialect {
  const pg = knex({ client: 'pg', wrapIdentifier: (name) => name });
  return {
    knex: pg,
    inJsonList: (column) => `${column} = any (translate(?, '[]', '{}')::int[])`,
    inRowIds: (column) => `${column} = any (translate(?, '[]', '{}')::bigint[])`,
    inTexts: (column) => `${column} = any (array(select jsonb_array_elements_text(?::jsonb)))`,
    jsonNumbers: (alias) => `unnest(translate(?, '[]', '{}')::bigint[]) as ${alias}(value)`,
    inList: hashed,
    collected: (query) => query,
    inProbedList: hashed,
    unsought: (column) => `coalesce(${column}, ${column})`,
    ofResource: (column) => column,
    contains: (column) => `strpos(${column}, ?) > 0`,
    days: (column) => `${column} - date '1970-01-01'`,
    seeks: 'lateral',
    byRowId: '',
    mostCollected: 30_000,
    quickCount: null,
    explain: 'explain (costs off)',
    text: POSTGRES_TEXT,
    tried: (query) => query.offset(pg.raw('0') as unknown as number),
    toKey: toKeyText,
    toBinding: (value) => (typeof value === 'string' ? value.replaceAll('\0', NEVER_STORED) : value),
  };
}

/** A bare `in` becomes a join, whose rows the planner guesses wrong; below `is true` it is a hash table. */
function hashed(column: string): string {
  return `(${column} in ?) is true`;
}

/** PostgreSQL has no NUL, and nothing that is stored has one: what looks for it must find nothing, not fail. */
const NEVER_STORED = '\uFFFF';
