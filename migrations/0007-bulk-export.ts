import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';
import { securityStatements } from './postgres-security.js';

/**
 * Bulk exports. HFJ_PARTITION_HORIZON stands beside the resources of a partition: no version is written any more whose
 * RES_UPDATED is HORIZON or before. Jobs stand in the main database: HFJ_BLK_EXPORT_JOB with the token of whoever works
 * on it, HFJ_BLK_EXPORT_COLFILE with the files that are finished, HFJ_BLK_EXPORT_MATCH with resources that were
 * searched for. Times are milliseconds since 1970. Older servers may not go on: they would write before a horizon.
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
  /** Of tables that are found by their primary key alone. */
  readonly keyed: string;
}

const tables = ({ date, text, big, keyed }: Types): readonly string[] => [
  `create table HFJ_PARTITION_HORIZON (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, HORIZON ${big} not null,
    primary key (PARTITION_ID))${keyed}`,
  `create table HFJ_BLK_EXPORT_JOB (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, JOB_ID ${text} not null, JOB_STATE ${text} not null,
    JOB_CLIENT ${text}, JOB_REQUEST ${text} not null, JOB_CREATED ${big} not null, JOB_AT ${big},
    JOB_PROGRESS ${text}, JOB_ERROR ${text}, JOB_ATTEMPTS integer not null, JOB_ENDED ${big},
    JOB_TOKEN ${big} not null, JOB_WORKER ${text}, JOB_LEASE ${big} not null, JOB_DUE ${big} not null,
    JOB_WORKED ${big} not null, primary key (PARTITION_ID, JOB_ID))`,
  `create index BLK_EXPORT_OPEN on HFJ_BLK_EXPORT_JOB (PARTITION_ID, JOB_ENDED)`,
  `create table HFJ_BLK_EXPORT_COLFILE (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, JOB_ID ${text} not null, FILE_KIND ${text} not null,
    RES_TYPE ${text} not null, FILE_PART integer not null, FILE_KEY ${text} not null, FILE_BYTES ${big} not null,
    FILE_LINES ${big} not null, primary key (PARTITION_ID, JOB_ID, FILE_KIND, RES_TYPE, FILE_PART))${keyed}`,
  `create table HFJ_BLK_EXPORT_MATCH (
    PARTITION_ID integer not null, PARTITION_DATE ${date}, JOB_ID ${text} not null, RES_TYPE ${text} not null,
    RES_ID ${big} not null, primary key (PARTITION_ID, JOB_ID, RES_TYPE, RES_ID))${keyed}`,
];

const SQLITE = tables({ date: 'integer', text: 'text', big: 'integer', keyed: ' without rowid' });

const PARTITIONED = [
  'HFJ_PARTITION_HORIZON',
  'HFJ_BLK_EXPORT_JOB',
  'HFJ_BLK_EXPORT_COLFILE',
  'HFJ_BLK_EXPORT_MATCH',
];

/** None of them has native partitions: they are small, and claims look through the jobs of all partitions. */
const POSTGRES = [
  ...tables({ date: 'date', text: 'text collate "C"', big: 'bigint', keyed: '' }),
  ...securityStatements({ partitioned: PARTITIONED, shared: [], sequences: [] }),
];
