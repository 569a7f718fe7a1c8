import type { Knex } from 'knex';
import { isPostgresClient } from '../../../migrations/postgres-client.js';
import * as resources from '../../../migrations/0001-resources.js';
import * as placements from '../../../migrations/0002-placements.js';
import * as search from '../../../migrations/0003-search.js';
import * as fullText from '../../../migrations/0004-full-text.js';
import * as contained from '../../../migrations/0005-contained.js';
import * as dateEnds from '../../../migrations/0006-date-ends.js';
import * as bulkExport from '../../../migrations/0007-bulk-export.js';
import * as auth from '../../../migrations/0008-auth.js';
import * as longDates from '../../../migrations/0010-long-dates.js';
import * as resourceTypeIds from '../../../migrations/0011-resource-type-ids.js';
import * as quotas from '../../../migrations/0012-quotas.js';
import * as paramSets from '../../../migrations/0013-param-sets.js';
import { collectStatements } from './statement-batch.js';

/** What cannot be changed once tables are made. */
export interface SchemaOptions {
  /** PostgreSQL: whether tables get native partitions. Left out: they do not. */
  readonly native?: boolean;
}

interface Migration {
  up(knex: Knex, options: SchemaOptions): Promise<void>;
  down(): Promise<void>;
}

/** Every migration by name, in order; names and order never change once landed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-resources': resources,
  '0002-placements': placements,
  '0003-search': search,
  '0004-full-text': fullText,
  '0005-contained': contained,
  '0006-date-ends': dateEnds,
  '0007-bulk-export': bulkExport,
  '0008-auth': auth,
  '0010-long-dates': longDates,
  '0011-resource-type-ids': resourceTypeIds,
  '0012-quotas': quotas,
  '0013-param-sets': paramSets,
};

const sourceWith = (options: SchemaOptions): Knex.MigrationSource<string> => ({
  getMigrations: async () => Object.keys(MIGRATIONS),
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = MIGRATIONS[name];
    if (!migration)
      throw new Error(`The database holds migration ${name}, which this version does not know.`);
    return { up: (knex) => apply(migration, knex, options), down: () => migration.down() };
  },
});

async function apply(migration: Migration, knex: Knex, options: SchemaOptions): Promise<void> {
  if (!isPostgresClient(knex)) return migration.up(knex, options);
  const batch = collectStatements(knex);
  await migration.up(batch.knex, options);
  await batch.send();
}

/** Names of all migrations that this version knows. */
export function knownMigrations(): readonly string[] {
  return Object.keys(MIGRATIONS);
}

/** @throws Error where the database was migrated by a newer version. */
export function assertNotNewer(applied: readonly string[]): void {
  const unknown = applied.find((name) => !knownMigrations().includes(name));
  if (unknown === undefined) return;
  throw new Error(
    `The database was migrated by a newer version (${unknown}). Start that version or a later one.`,
  );
}

/** Keeps all other migrators of the database waiting until the transaction ends. */
const MIGRATION_LOCK = 0x42_4b_4d_47;

/**
 * Brings the schema up to date and returns the names of what was applied. Everything happens in one
 * transaction whose first statement takes the write lock: two servers that start together migrate once, and a
 * killed migration leaves nothing behind. A schema that is newer than this version is refused.
 */
export async function migrate(knex: Knex, options: SchemaOptions = {}): Promise<readonly string[]> {
  return knex.transaction(async (trx) => {
    const isPostgres = isPostgresClient(knex);
    await trx.raw(
      isPostgres
        ? `select pg_advisory_xact_lock(${MIGRATION_LOCK})`
        : 'create table if not exists HFJ_MIGRATION_GUARD (GUARDED integer)',
    );
    const tableName = isPostgres ? 'hfj_migration' : 'HFJ_MIGRATION';
    const config: Knex.MigratorConfig = { migrationSource: sourceWith(options), tableName };
    const [, applied] = (await trx.migrate.latest(config)) as [number, string[]];
    return applied;
  });
}
