import type { Knex } from 'knex';
import { isPostgresClient } from './postgres-client.js';
import { securityStatements } from './postgres-security.js';

/**
 * Which paths a resource has index rows on. RES_PARAMS_ID is a number made of the set of these paths, 0 where that is not
 * known: of all resources from before, until they are written or reindexed. HFJ_RES_PARAMS holds every set that resources of
 * a type in a partition ever had; of two sets with the same number both are there. Older servers may not go on: they would
 * leave the set of the version before.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isPostgresClient(knex) ? POSTGRES : SQLITE) await knex.raw(statement);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

const COLUMN = 'alter table HFJ_RESOURCE add column RES_PARAMS_ID integer not null default 0';

/** Resources with one set, in the order of their ids; those that are deleted have none. */
const index = (more: string): string => `create index RESOURCE_PARAMS
  on HFJ_RESOURCE (PARTITION_ID, RES_TYPE_ID, RES_PARAMS_ID, FHIR_ID${more}) where RES_DELETED_AT is null`;

export const SQLITE = [
  COLUMN,
  index(''),
  `create table HFJ_RES_PARAMS (
    PARTITION_ID integer not null, PARTITION_DATE integer, RES_TYPE_ID integer not null,
    RES_PARAMS_ID integer not null, SP_PARAMS text not null,
    primary key (PARTITION_ID, RES_TYPE_ID, RES_PARAMS_ID, SP_PARAMS)) without rowid`,
];

/** Without a key that is unique nobody waits for who has the same new set; it may stand there twice. */
const POSTGRES = [
  COLUMN,
  index(', RES_ID'),
  `create table HFJ_RES_PARAMS (
    PARTITION_ID integer not null, PARTITION_DATE date, RES_TYPE_ID integer not null,
    RES_PARAMS_ID integer not null, SP_PARAMS text collate "C" not null)`,
  'create index RES_PARAMS_KEY on HFJ_RES_PARAMS (PARTITION_ID, RES_TYPE_ID, RES_PARAMS_ID)',
  ...securityStatements({ partitioned: ['HFJ_RES_PARAMS'], shared: [], sequences: [] }),
];
