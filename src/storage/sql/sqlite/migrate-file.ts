import knex, { type Knex } from 'knex';
import { knownMigrations, migrate } from '../migrate.js';
import { makePrivateFile, type SqliteDatabase } from './open.js';

/** Applies what is missing of the schema; answers the names of the migrations that were applied. */
export async function migrateFile(file: string): Promise<readonly string[]> {
  makePrivateFile(file);
  const connection = openKnex(file);
  try {
    return await migrate(connection);
  } finally {
    await connection.destroy();
  }
}

/** How a file's schema compares with this version's, without loading the migrator. */
export function schemaState(db: SqliteDatabase): 'current' | 'behind' | 'newer' {
  const table = db.prepare(`select 1 from sqlite_master where name = 'HFJ_MIGRATION'`).get();
  if (table === undefined) return 'behind';
  const applied = db.prepare('select name from HFJ_MIGRATION').pluck().all() as string[];
  if (applied.some((name) => !knownMigrations().includes(name))) return 'newer';
  return applied.length === knownMigrations().length ? 'current' : 'behind';
}

function openKnex(file: string): Knex {
  return knex({
    client: 'better-sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
}
