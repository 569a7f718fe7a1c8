import Database from 'better-sqlite3';
import { Client } from 'pg';
import type { TestDatabase } from '../../support/test-database.js';

/** Every table of resources gets another name, under the feet of the servers that use the database. */
const TABLES = ['hfj_resource', 'hfj_res_ver', 'hfj_spidx_token', 'hfj_spidx_string'];

/** Takes tables away that requests need, as an accident or an operator would. */
export async function breakDatabase(database: TestDatabase): Promise<void> {
  for (const url of await database.urls()) {
    if (url.startsWith('sqlite:')) breakSqlite(url.replace(/^sqlite:/, ''));
    else await breakPostgres(url);
  }
}

function breakSqlite(file: string): void {
  const db = new Database(file);
  try {
    const names = db.prepare(`select name from sqlite_master where type = 'table'`).pluck().all() as string[];
    for (const name of names.filter((one) => TABLES.includes(one.toLowerCase())))
      db.exec(`alter table "${name}" rename to "broken_${name}"`);
  } finally {
    db.close();
  }
}

async function breakPostgres(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ schema: string; name: string }>(
      `select table_schema as schema, table_name as name from information_schema.tables where lower(table_name) = any($1)`,
      [TABLES],
    );
    for (const { schema, name } of rows)
      await client.query(`alter table "${schema}"."${name}" rename to "broken_${name}"`);
  } finally {
    await client.end();
  }
}
