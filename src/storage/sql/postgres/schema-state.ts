import knex from 'knex';
import { knownMigrations, migrate, type SchemaOptions } from '../migrate.js';
import type { PostgresPool } from './postgres-pool.js';

/** How a schema stands to this version. */
export type SchemaState = 'missing' | 'behind' | 'current' | 'newer';

/** Looks without loading the migrator. `schema`: null for the connection's own. */
export function schemaState(pool: PostgresPool, schema: string | null = null): Promise<SchemaState> {
  const table = schema === null ? 'hfj_migration' : `${schema}.hfj_migration`;
  return pool.asOwner(async (client) => {
    const found = await client.query<{ found: string | null }>('select to_regclass($1)::text as found', [
      table,
    ]);
    if (found.rows[0]?.found === null) return 'missing';
    const applied = await client.query<{ name: string }>(`select name from ${table}`);
    const known = knownMigrations();
    if (!applied.rows.every(({ name }) => known.includes(name))) return 'newer';
    return applied.rows.length === known.length ? 'current' : 'behind';
  });
}

/** How a schema is made. */
export interface MigrationOptions extends SchemaOptions {
  /** Null, or left out: the connection's own. */
  readonly schema?: string | null;
}

/** Applies what is missing of the schema; answers the names of the migrations that were applied. */
export async function migratePostgres(
  url: string,
  { schema = null, ...options }: MigrationOptions = {},
): Promise<readonly string[]> {
  const searchPath = schema === null ? {} : { searchPath: [schema] };
  const connection = knex({
    client: 'pg',
    connection: url,
    pool: { min: 0, max: 1 },
    ...searchPath,
  });
  try {
    return await migrate(connection, options);
  } finally {
    await connection.destroy();
  }
}
