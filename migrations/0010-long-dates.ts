import type { Knex } from 'knex';

/**
 * Date ranges of more than a day, by where they begin. Whoever looks for ranges that overlap another one finds the
 * shorter ones along the key of the table, not further back than a day, and these along this index: they are few.
 */
export const DATE_LONG =
  'create index if not exists DATE_LONG on HFJ_SPIDX_DATE (PARTITION_ID, PARAM_ID, SP_LOW, SP_HIGH, RES_ID) where SP_HIGH - SP_LOW > 86400000';

/** Adds the index of long ranges. Older servers may go on. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(DATE_LONG);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}
