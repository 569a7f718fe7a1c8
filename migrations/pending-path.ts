import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';

/** What searches find only once everything that is there has been indexed anew. */
export interface PendingPath {
  /** Of HFJ_SETTING; ends with a digest of the path. */
  readonly key: string;
  /** Kept as paths of search parameters are that wait for a reindex. */
  readonly path: Readonly<Record<'resourceType' | 'kind' | 'path' | 'expression' | 'state', string>>;
}

/** Searches by the path say that they do not find everything, where anything is stored already. */
export async function markOldData(knex: Knex, { key, path }: PendingPath): Promise<void> {
  // The owner of tables does not see their rows on PostgreSQL.
  const used = isPostgresClient(knex)
    ? 'select 1 from HFJ_RESOURCE_ID where is_called'
    : 'select 1 from HFJ_RESOURCE';
  const placed = `select 1 from HFJ_PARTITION where PART_PLACEMENT <> 'shared'`;
  await knex.raw(
    `insert into HFJ_SETTING (SETTING_KEY, SETTING_VALUE)
      select ADDED.K, ADDED.V from (select cast(? as text) as K, cast(? as text) as V) ADDED
      where exists (${used}) or exists (${placed}) on conflict do nothing`,
    [key, JSON.stringify({ ...path, since: Date.now() })],
  );
}
