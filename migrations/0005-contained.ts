import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';

/**
 * Contained resources are indexed from now on, in the table of composites. Older servers may not go on: what they write
 * would not be found. What was written before has no such rows until it is indexed anew, and searches say so.
 */
export async function up(knex: Knex): Promise<void> {
  // The owner of tables does not see their rows on PostgreSQL.
  const used = isPostgresClient(knex)
    ? 'select 1 from HFJ_RESOURCE_ID where is_called'
    : 'select 1 from HFJ_RESOURCE';
  const placed = `select 1 from HFJ_PARTITION where PART_PLACEMENT <> 'shared'`;
  const value = JSON.stringify({ ...PENDING.path, since: Date.now() });
  await knex.raw(
    `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE)
      select ADDED.K, ADDED.V from (select cast(? as text) as K, cast(? as text) as V) ADDED
      where exists (${used}) or exists (${placed})`,
    [PENDING.key, value],
  );
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

/** All contained resources: kept as paths are that wait for a reindex; the key ends with a digest of the path. */
const PENDING = {
  key: 'search-path:*:composite:1067a0cc960f8c4cadf88ca4a308d578',
  path: { resourceType: '*', kind: 'composite', path: '*#contained', expression: '', state: 'pending' },
};
