import type { Knex } from 'knex';
import { nativeStatements, postgresStatements } from './0001-resources-postgres.js';
import { isPostgresClient } from './postgres-client.js';

/**
 * The first schema: resources, their superseded versions, search indexes, links, claims, dictionaries,
 * partitions and jobs. PARTITION_ID leads every key that serves a tenant's query. Dates of partitions are days
 * since 1970; times are milliseconds since 1970.
 */
export const statements: readonly string[] = [
  `create table HFJ_PARTITION (
    PART_ID integer primary key not null, PART_NAME text not null, PART_DESC text,
    PART_STATE text not null default 'active')`,
  `create unique index PARTITION_NAME on HFJ_PARTITION (PART_NAME collate nocase)`,
  `create table HFJ_RES_TYPE (RES_TYPE_ID integer primary key, RES_TYPE text not null unique)`,
  `create table HFJ_SP_PATH (
    PARAM_ID integer primary key, RES_TYPE_ID integer not null, SP_TYPE text not null, SP_PATH text not null,
    unique (RES_TYPE_ID, SP_TYPE, SP_PATH))`,
  `create table HFJ_SYSTEM (SYS_ID integer primary key, SYS_URL text not null unique)`,
  `create table HFJ_SETTING (SETTING_KEY text primary key, SETTING_VALUE text not null)`,
  `create table HFJ_JOB (
    JOB_ID text primary key, JOB_KIND text not null, PARTITION_ID integer not null, PARTITION_DATE integer,
    JOB_STATE text not null, JOB_PARAMETERS text not null, JOB_RESULT text,
    JOB_CREATED integer not null, JOB_UPDATED integer not null)`,
  `create table HFJ_RESOURCE (
    RES_ID integer primary key autoincrement, PARTITION_ID integer not null, PARTITION_DATE integer,
    RES_TYPE_ID integer not null, FHIR_ID text not null, RES_VER integer not null,
    RES_UPDATED integer not null, RES_DELETED_AT integer, RES_TEXT text)`,
  `create unique index RESOURCE_KEY on HFJ_RESOURCE (PARTITION_ID, RES_TYPE_ID, FHIR_ID)`,
  `create index RESOURCE_UPDATED on HFJ_RESOURCE (PARTITION_ID, RES_TYPE_ID, RES_UPDATED, RES_ID)`,
  `create table HFJ_RES_VER (
    RES_ID integer not null, RES_VER integer not null, PARTITION_ID integer not null, PARTITION_DATE integer,
    RES_TYPE_ID integer not null, FHIR_ID text not null, RES_UPDATED integer not null,
    RES_DELETED_AT integer, RES_TEXT text, primary key (RES_ID, RES_VER))`,
  `create index VERSION_UPDATED on HFJ_RES_VER (PARTITION_ID, RES_TYPE_ID, RES_UPDATED, RES_ID)`,
  `create table HFJ_SPIDX_TOKEN (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_VALUE text not null,
    SYS_ID integer not null, RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, RES_ID)) without rowid`,
  `create table HFJ_SPIDX_STRING (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_NORM text not null,
    SP_EXACT text not null, RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, SP_NORM, SP_EXACT, RES_ID)) without rowid`,
  `create table HFJ_SPIDX_DATE (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_LOW integer not null,
    SP_HIGH integer not null, RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, SP_LOW, SP_HIGH, RES_ID)) without rowid`,
  `create index DATE_RESOURCE on HFJ_SPIDX_DATE (RES_ID, PARAM_ID, SP_LOW, SP_HIGH)`,
  `create table HFJ_SPIDX_NUMBER (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_VALUE real not null,
    RES_ID integer not null, primary key (PARTITION_ID, PARAM_ID, SP_VALUE, RES_ID)) without rowid`,
  `create table HFJ_SPIDX_QUANTITY (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_VALUE real not null,
    SYS_ID integer not null, SP_CODE text not null, SP_UNIT text not null, SP_CANON_VALUE real, SP_CANON_UNIT text,
    RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_CODE, SP_UNIT, RES_ID)) without rowid`,
  `create index QUANTITY_CANONICAL on HFJ_SPIDX_QUANTITY
    (PARTITION_ID, PARAM_ID, SP_CANON_UNIT, SP_CANON_VALUE, RES_ID) where SP_CANON_VALUE is not null`,
  `create table HFJ_SPIDX_URI (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_VALUE text not null,
    RES_ID integer not null, primary key (PARTITION_ID, PARAM_ID, SP_VALUE, RES_ID)) without rowid`,
  `create table HFJ_RES_LINK (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null,
    TARGET_RES_ID integer not null, TARGET_TYPE_ID integer not null, TARGET_URL text not null,
    RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, TARGET_RES_ID, TARGET_URL, RES_ID)) without rowid`,
  `create index LINK_RESOURCE on HFJ_RES_LINK (RES_ID, PARAM_ID, TARGET_RES_ID)`,
  `create table HFJ_RES_SEARCH_URL (
    PARTITION_ID integer not null, PARTITION_DATE integer, RES_TYPE_ID integer not null,
    RES_SEARCH_URL text not null, RES_ID integer not null,
    primary key (PARTITION_ID, RES_TYPE_ID, RES_SEARCH_URL)) without rowid`,
  `create index SEARCH_URL_RESOURCE on HFJ_RES_SEARCH_URL (RES_ID)`,
  `create table HFJ_RES_ID_CLAIM (
    RES_TYPE_ID integer not null, FHIR_ID text not null, PARTITION_ID integer not null, PARTITION_DATE integer,
    primary key (RES_TYPE_ID, FHIR_ID)) without rowid`,
  `create table HFJ_BINARY_CHUNK (
    PARTITION_ID integer not null, PARTITION_DATE integer, BLOB_ID text not null, CHUNK_NO integer not null,
    CHUNK_DATA blob not null)`,
  `create unique index BINARY_CHUNK_KEY on HFJ_BINARY_CHUNK (PARTITION_ID, BLOB_ID, CHUNK_NO)`,
  `create table HFJ_BINARY_STAGE (
    PARTITION_ID integer not null, PARTITION_DATE integer, BLOB_ID text not null, STAGED_AT integer not null,
    primary key (PARTITION_ID, BLOB_ID)) without rowid`,
];

/** `native`: PostgreSQL makes the tables with native partitions. */
export async function up(knex: Knex, { native = false }: { readonly native?: boolean } = {}): Promise<void> {
  for (const statement of statementsFor(knex, native)) await knex.raw(statement);
}

function statementsFor(knex: Knex, native: boolean): readonly string[] {
  if (!isPostgresClient(knex)) return statements;
  return native ? nativeStatements() : postgresStatements;
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}
