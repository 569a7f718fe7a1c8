import type { Knex } from 'knex';

/** Whether a migration runs on PostgreSQL; otherwise it runs on SQLite. */
export function isPostgresClient(knex: Knex): boolean {
  return knex.client.config.client === 'pg';
}
