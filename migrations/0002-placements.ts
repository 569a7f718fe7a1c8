import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';

/**
 * Where the rows of each partition are, and row ids that are unique over all places: SQLite gives them out in blocks
 * from HFJ_SETTING, beginning above every one that was ever used. PART_MIGRATION is the last migration of a
 * partition's own home; null where it is in the main database. A job with a lease has one owner until
 * JOB_LEASE (milliseconds since 1970). Older servers must not go on: they would give out row ids of their own.
 */
export const statements: readonly string[] = [
  `alter table HFJ_PARTITION add column PART_PLACEMENT text not null default 'shared'`,
  `alter table HFJ_PARTITION add column PART_MIGRATION text`,
  `alter table HFJ_JOB add column JOB_OWNER text`,
  `alter table HFJ_JOB add column JOB_LEASE bigint`,
];

/** SQLite remembers the greatest row id also where that resource has gone. */
const NEXT_ROW_ID = `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE)
  select 'next-row-id', cast(coalesce(max(ID), 0) + 1 as text)
  from (select RES_ID as ID from HFJ_RESOURCE union all select seq from sqlite_sequence where name = 'HFJ_RESOURCE')`;

export async function up(knex: Knex): Promise<void> {
  for (const statement of statements) await knex.raw(statement);
  // PostgreSQL has a sequence.
  if (!isPostgresClient(knex)) await knex.raw(NEXT_ROW_ID);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}
