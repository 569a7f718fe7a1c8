import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { Client, types } from 'pg';
import { PARTITIONED_TABLES } from '../../src/storage/sql/tables.js';

/** One row, in the order of the statement's columns. */
export type StoredRow = readonly unknown[];

/** The files of a SQLite database: its main file, and those of single partitions. */
export function sqliteFiles(file: string): readonly string[] {
  const own = `${basename(file, '.db')}.p*.db`;
  return [file, ...globSync(join(dirname(file), own)).toSorted()];
}

/** What a statement finds in a SQLite database: in its main file, and in the files of single partitions. */
export function sqliteRows(file: string, sql: string): readonly StoredRow[] {
  return sqliteFiles(file).flatMap((path) => {
    const db = new Database(path, { readonly: true });
    try {
      return db.prepare(sql).raw().all() as StoredRow[];
    } finally {
      db.close();
    }
  });
}

const INT8 = 20;
const DATE = 1082;

/** Numbers as numbers and dates as their text, as SQLite has them. */
const PLAIN: typeof types = {
  ...types,
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number;
    return oid === DATE ? String : types.getTypeParser(oid, format as 'text');
  }) as typeof types.getTypeParser,
};

/** What a statement finds in PostgreSQL databases: in each one's main schema, and in those of single partitions. */
export async function postgresRows(urls: readonly string[], sql: string): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  for (const connectionString of urls) {
    const client = new Client({ connectionString, types: PLAIN });
    await client.connect();
    try {
      for (const schema of await schemasOf(client)) {
        for (const row of await rowsOf(client, schema, sql)) rows.push(row);
      }
    } finally {
      await client.end();
    }
  }
  return rows;
}

async function schemasOf(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ schema: string }>(
    `select table_schema as schema from information_schema.tables where lower(table_name) = 'hfj_resource' order by 1`,
  );
  return rows.map(({ schema }) => schema);
}

/** Past row-level security, which hides all rows from the owner of the tables too: undone before anybody sees it. */
async function rowsOf(client: Client, schema: string, sql: string): Promise<readonly StoredRow[]> {
  await client.query('begin');
  await client.query(`set local search_path to ${client.escapeIdentifier(schema)}`);
  for (const table of PARTITIONED_TABLES)
    await client.query(`alter table ${table} no force row level security`);
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
  await client.query('rollback');
  return rows;
}
