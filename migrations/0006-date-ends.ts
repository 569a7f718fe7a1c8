import type { Knex } from 'knex';

/**
 * Resources are put in order by the end of a date, latest first, along an index; the key of the table has its start
 * only. The condition holds for every row, and is there to be asked for: SQLite, which knows no statistics, would
 * otherwise walk this index where the rows of one resource are a seek away.
 */
export const DATE_END =
  'create index if not exists DATE_END on HFJ_SPIDX_DATE (PARTITION_ID, PARAM_ID, SP_HIGH, RES_ID) where RES_ID > 0';

/** Adds the index of ends. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(DATE_END);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}
