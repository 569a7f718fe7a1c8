import Database from 'better-sqlite3';
import pg from 'pg';
import type { BenchStore } from '../bench-store.js';

/** A value of a statement. */
export type Binding = string | number;

/**
 * SQL as somebody writes it who knows the data. `?` stands for a value, `{join}` for a join in the order in which
 * tables are written, and `{fence}` ends a subquery that must not become a join.
 */
export interface FloorSql {
  readonly sql: string;
  readonly values: readonly Binding[];
}

/** The database that a server has filled, read by prepared statements: no scope, no policies, no model. */
export interface SearchFloor {
  /** `custom`: planned for these values. */
  rows(sql: FloorSql, plan?: 'custom'): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** Opens the floor of a database that is at rest. */
export async function openSearchFloor(store: BenchStore, url: string): Promise<SearchFloor> {
  return store.name === 'SQLite' ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url);
}

function openSqlite(file: string): SearchFloor {
  const db = new Database(file, { readonly: true });
  db.pragma('mmap_size = 1073741824');
  db.pragma('cache_size = -65536');
  const prepared = new Map<string, Database.Statement>();
  const prepare = (sql: string): Database.Statement =>
    db.prepare(sql.replaceAll('{join}', 'cross join').replaceAll('{fence}', '')).raw();
  return {
    rows: async ({ sql, values }) => {
      let statement = prepared.get(sql);
      if (!statement) prepared.set(sql, (statement = prepare(sql)));
      return statement.all(...values) as unknown[][];
    },
    close: async () => void db.close(),
  };
}

/** As a superuser, whom no policy concerns. */
async function openPostgres(url: string): Promise<SearchFloor> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const prepared = new Map<string, { readonly name: string; readonly text: string }>();
  return {
    rows: async ({ sql, values }, plan) => {
      let statement = prepared.get(sql);
      if (!statement) prepared.set(sql, (statement = { name: `f${prepared.size}`, text: numbered(sql) }));
      const { name, text } = statement;
      const query = { text, values: [...values], rowMode: 'array' } as const;
      return (await client.query<unknown[]>(plan === 'custom' ? query : { ...query, name })).rows;
    },
    close: () => client.end(),
  };
}

function numbered(sql: string): string {
  let place = 0;
  const worded = sql.replaceAll('{join}', 'join').replaceAll('{fence}', 'offset 0');
  return worded.replaceAll('?', () => `$${++place}`);
}
