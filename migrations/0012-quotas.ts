import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';
import { securityStatements } from './postgres-security.js';

/**
 * HFJ_PARTITION_USAGE: what a partition holds, beside its resources; a row for each partition that ever had a quota.
 * USED_RESOURCES are those that are not deleted, USED_BYTES the texts of all versions and the contents of Binaries.
 * USED_COUNTED is 0 until what was there before has been counted. COUNT_TOKEN is of whoever counts at the moment, and
 * COUNT_SEEN (ms since 1970) when that was last heard of. Older servers may not go on: they would not keep it.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isPostgresClient(knex) ? POSTGRES : SQLITE) await knex.raw(statement);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

/** What differs between the databases. */
interface Types {
  readonly date: string;
  readonly text: string;
  readonly big: string;
  /** Of a table that is found by its primary key alone. */
  readonly kind: string;
}

const table = ({ date, text, big, kind }: Types): string => `create table HFJ_PARTITION_USAGE (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, USED_RESOURCES ${big} not null, USED_BYTES ${big} not null,
    USED_COUNTED integer not null, COUNT_TOKEN ${text}, COUNT_SEEN ${big}, primary key (PARTITION_ID))${kind}`;

const SQLITE = [table({ date: 'integer', text: 'text', big: 'integer', kind: ' without rowid' })];

/** Rows change with every write: room on their pages keeps them there, and the index as it is. */
const POSTGRES = [
  table({ date: 'date', text: 'text collate "C"', big: 'bigint', kind: ' with (fillfactor = 20)' }),
  ...securityStatements({ partitioned: ['HFJ_PARTITION_USAGE'], shared: [], sequences: [] }),
];
