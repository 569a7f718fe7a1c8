import type { Knex } from 'knex';
import { markOldData } from './pending-path.js';

/**
 * Contained resources are indexed from now on, in the table of composites. Older servers may not go on: what they write
 * would not be found. What was written before has no such rows until it is indexed anew, and searches say so.
 */
export async function up(knex: Knex): Promise<void> {
  await markOldData(knex, PENDING);
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
