import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';

/**
 * RES_TYPE_IDs no longer count up in the order in which types are first stored, which results over several types would
 * tell. They are given explicitly from now on; older servers, which may go on, have those from 2001. Ids that are there
 * stay.
 */
export async function up(knex: Knex): Promise<void> {
  if (isPostgresClient(knex)) await knex.raw(RESTART);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

const RESTART = `do $$ begin
  if exists (select 1 from information_schema.columns where table_schema = current_schema()
    and table_name = 'hfj_res_type' and column_name = 'res_type_id' and is_identity = 'YES')
  then alter table HFJ_RES_TYPE alter column RES_TYPE_ID restart with 2001; end if; end $$`;
