import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';
import { securityStatements } from './postgres-security.js';

/**
 * The authorization server's tables, in the main database: HFJ_AUTH_CLIENT with the clients that are registered in a
 * partition, and what they may be granted; HFJ_AUTH_JTI with the hashes of assertion ids that were used, until their
 * assertions have expired. Times are milliseconds since 1970. Older servers may go on.
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
}

const tables = ({ date, text, big }: Types): readonly string[] => [
  `create table HFJ_AUTH_CLIENT (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, CLIENT_ID ${text} not null, CLIENT_NAME ${text} not null,
    CLIENT_SCOPES ${text} not null, CLIENT_TENANTS ${text}, CLIENT_JWKS ${text}, CLIENT_JWKS_URL ${text},
    CLIENT_DISABLED integer not null, CLIENT_CREATED ${big} not null, primary key (PARTITION_ID, CLIENT_ID))`,
  `create table HFJ_AUTH_JTI (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, CLIENT_ID ${text} not null, JTI_HASH ${text} not null,
    JTI_EXPIRES ${big} not null, primary key (PARTITION_ID, CLIENT_ID, JTI_HASH))`,
  `create index AUTH_JTI_EXPIRES on HFJ_AUTH_JTI (PARTITION_ID, JTI_EXPIRES)`,
];

const SQLITE = tables({ date: 'integer', text: 'text', big: 'integer' });

const POSTGRES = [
  ...tables({ date: 'date', text: 'text collate "C"', big: 'bigint' }),
  ...securityStatements({ partitioned: ['HFJ_AUTH_CLIENT', 'HFJ_AUTH_JTI'], shared: [], sequences: [] }),
];
