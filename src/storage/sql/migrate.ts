import type { Knex } from 'knex';
import * as resources from '../../../migrations/0001-resources.js';
import * as placements from '../../../migrations/0002-placements.js';

/** Every migration by name, in order; names and order never change once landed. */
const MIGRATIONS: Readonly<Record<string, Knex.Migration>> = {
  '0001-resources': resources,
  '0002-placements': placements,
};

const SOURCE: Knex.MigrationSource<string> = {
  getMigrations: async () => Object.keys(MIGRATIONS),
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = MIGRATIONS[name];
    if (!migration)
      throw new Error(`The database holds migration ${name}, which this version does not know.`);
    return migration;
  },
};

/** Names of all migrations that this version knows. */
export function knownMigrations(): readonly string[] {
  return Object.keys(MIGRATIONS);
}

/**
 * Brings the schema up to date and returns the names of what was applied. Everything happens in one
 * transaction whose first statement takes the write lock: two servers that start together migrate once, and a
 * killed migration leaves nothing behind. A schema that is newer than this version is refused.
 */
export async function migrate(knex: Knex): Promise<readonly string[]> {
  return knex.transaction(async (trx) => {
    await trx.raw('create table if not exists HFJ_MIGRATION_GUARD (GUARDED integer)');
    const config: Knex.MigratorConfig = { migrationSource: SOURCE, tableName: 'HFJ_MIGRATION' };
    const [, applied] = (await trx.migrate.latest(config)) as [number, string[]];
    return applied;
  });
}
