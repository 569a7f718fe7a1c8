import { securityStatements } from './postgres-security.js';

/** Tables that hold something of a resource, in this migration. */
const PARTITIONED = [
  'HFJ_RESOURCE',
  'HFJ_RES_VER',
  'HFJ_SPIDX_TOKEN',
  'HFJ_SPIDX_STRING',
  'HFJ_SPIDX_DATE',
  'HFJ_SPIDX_NUMBER',
  'HFJ_SPIDX_QUANTITY',
  'HFJ_SPIDX_URI',
  'HFJ_RES_LINK',
  'HFJ_RES_SEARCH_URL',
  'HFJ_RES_ID_CLAIM',
  'HFJ_BINARY_CHUNK',
  'HFJ_BINARY_STAGE',
];

const SHARED = ['HFJ_PARTITION', 'HFJ_RES_TYPE', 'HFJ_SP_PATH', 'HFJ_SYSTEM', 'HFJ_SETTING', 'HFJ_JOB'];

/** Rows of one resource are written and deleted together, so that index tables need no key of their own. */
const indexTable = (name: string, columns: string, key: string): readonly string[] => [
  `create table HFJ_${name} (
    PARTITION_ID integer not null, PARTITION_DATE date, PARAM_ID integer not null, ${columns},
    RES_ID bigint not null)`,
  `create index ${name}_KEY on HFJ_${name} (PARTITION_ID, PARAM_ID, ${key}, RES_ID)`,
];

/** Ids are claimed over all partitions: the key of that table does not begin with one. */
const LISTED = PARTITIONED.filter((table) => table !== 'HFJ_RES_ID_CLAIM');

/**
 * Native partitions for DEFAULT and for all that have none of their own. Nobody reads them but through their table,
 * where the policies are. https://www.postgresql.org/docs/current/ddl-partitioning.html
 */
const nativePartitions = (table: string): readonly string[] => [
  `create table ${table}_P0 partition of ${table} for values in (0)`,
  `create table ${table}_OTHERS partition of ${table} default`,
  ...['P0', 'OTHERS'].flatMap((end) => [
    `alter table ${table}_${end} enable row level security`,
    `alter table ${table}_${end} force row level security`,
  ]),
];

/** The same schema with tables that are partitioned by list. */
export function nativeStatements(): readonly string[] {
  const made = postgresStatements.map((statement) => {
    const [, table] = /^create table (\w+)/.exec(statement) ?? [];
    return table !== undefined && LISTED.includes(table)
      ? `${statement} partition by list (PARTITION_ID)`
      : statement;
  });
  return [...made, ...LISTED.flatMap(nativePartitions)];
}

/** The schema of 0001 for PostgreSQL: the same tables and columns, with its own types. */
export const postgresStatements: readonly string[] = [
  `create table HFJ_PARTITION (
    PART_ID integer primary key, PART_NAME text collate "C" not null, PART_DESC text,
    PART_STATE text collate "C" not null default 'active')`,
  `create unique index PARTITION_NAME on HFJ_PARTITION (lower(PART_NAME))`,
  `create table HFJ_RES_TYPE (
    RES_TYPE_ID integer generated always as identity primary key, RES_TYPE text collate "C" not null unique)`,
  `create table HFJ_SP_PATH (
    PARAM_ID integer generated always as identity primary key, RES_TYPE_ID integer not null,
    SP_TYPE text collate "C" not null, SP_PATH text collate "C" not null, unique (RES_TYPE_ID, SP_TYPE, SP_PATH))`,
  `create table HFJ_SYSTEM (
    SYS_ID integer generated always as identity primary key, SYS_URL text collate "C" not null unique)`,
  `create table HFJ_SETTING (SETTING_KEY text collate "C" primary key, SETTING_VALUE text not null)`,
  `create table HFJ_JOB (
    JOB_ID text collate "C" primary key, JOB_KIND text not null, PARTITION_ID integer not null, PARTITION_DATE date,
    JOB_STATE text not null, JOB_PARAMETERS text not null, JOB_RESULT text,
    JOB_CREATED bigint not null, JOB_UPDATED bigint not null)`,
  `create sequence HFJ_RESOURCE_ID increment by 1000 minvalue 1`,
  `create table HFJ_RESOURCE (
    RES_ID bigint not null, PARTITION_ID integer not null, PARTITION_DATE date,
    RES_TYPE_ID integer not null, FHIR_ID text collate "C" not null, RES_VER integer not null,
    RES_UPDATED bigint not null, RES_DELETED_AT bigint, RES_TEXT text collate "C",
    primary key (PARTITION_ID, RES_ID))`,
  // Among the partitions of a list a row is found by its id alone: in each of them would be a seek for each.
  `create index RESOURCE_ROW on HFJ_RESOURCE (RES_ID)`,
  `create unique index RESOURCE_KEY on HFJ_RESOURCE (PARTITION_ID, RES_TYPE_ID, FHIR_ID)`,
  `create index RESOURCE_UPDATED on HFJ_RESOURCE (PARTITION_ID, RES_TYPE_ID, RES_UPDATED, RES_ID)`,
  `create table HFJ_RES_VER (
    RES_ID bigint not null, RES_VER integer not null, PARTITION_ID integer not null, PARTITION_DATE date,
    RES_TYPE_ID integer not null, FHIR_ID text collate "C" not null, RES_UPDATED bigint not null,
    RES_DELETED_AT bigint, RES_TEXT text collate "C", primary key (PARTITION_ID, RES_ID, RES_VER))`,
  `create index VERSION_UPDATED on HFJ_RES_VER (PARTITION_ID, RES_TYPE_ID, RES_UPDATED, RES_ID)`,
  ...indexTable(
    'SPIDX_TOKEN',
    'SP_VALUE text collate "C" not null, SYS_ID integer not null',
    'SP_VALUE, SYS_ID',
  ),
  ...indexTable(
    'SPIDX_STRING',
    'SP_NORM text collate "C" not null, SP_EXACT text collate "C" not null',
    'SP_NORM, SP_EXACT',
  ),
  ...indexTable('SPIDX_DATE', 'SP_LOW bigint not null, SP_HIGH bigint not null', 'SP_LOW, SP_HIGH'),
  `create index DATE_RESOURCE on HFJ_SPIDX_DATE (RES_ID, PARAM_ID, SP_LOW, SP_HIGH) include (PARTITION_ID)`,
  ...indexTable('SPIDX_NUMBER', 'SP_VALUE double precision not null', 'SP_VALUE'),
  ...indexTable(
    'SPIDX_QUANTITY',
    `SP_VALUE double precision not null, SYS_ID integer not null, SP_CODE text collate "C" not null,
    SP_UNIT text collate "C" not null, SP_CANON_VALUE double precision, SP_CANON_UNIT text collate "C"`,
    'SP_VALUE, SYS_ID, SP_CODE, SP_UNIT',
  ),
  `create index QUANTITY_CANONICAL on HFJ_SPIDX_QUANTITY
    (PARTITION_ID, PARAM_ID, SP_CANON_UNIT, SP_CANON_VALUE, RES_ID) where SP_CANON_VALUE is not null`,
  ...indexTable('SPIDX_URI', 'SP_VALUE text collate "C" not null', 'SP_VALUE'),
  ...indexTable(
    'RES_LINK',
    'TARGET_RES_ID bigint not null, TARGET_TYPE_ID integer not null, TARGET_URL text collate "C" not null',
    'TARGET_RES_ID, TARGET_URL',
  ),
  `create index LINK_RESOURCE on HFJ_RES_LINK (RES_ID, PARAM_ID, TARGET_RES_ID) include (PARTITION_ID, TARGET_URL)`,
  `create table HFJ_RES_SEARCH_URL (
    PARTITION_ID integer not null, PARTITION_DATE date, RES_TYPE_ID integer not null,
    RES_SEARCH_URL text collate "C" not null, RES_ID bigint not null,
    primary key (PARTITION_ID, RES_TYPE_ID, RES_SEARCH_URL))`,
  `create index SEARCH_URL_RESOURCE on HFJ_RES_SEARCH_URL (RES_ID)`,
  `create table HFJ_RES_ID_CLAIM (
    RES_TYPE_ID integer not null, FHIR_ID text collate "C" not null, PARTITION_ID integer not null,
    PARTITION_DATE date, primary key (RES_TYPE_ID, FHIR_ID))`,
  `create table HFJ_BINARY_CHUNK (
    PARTITION_ID integer not null, PARTITION_DATE date, BLOB_ID text collate "C" not null,
    CHUNK_NO integer not null, CHUNK_DATA bytea not null, primary key (PARTITION_ID, BLOB_ID, CHUNK_NO))`,
  `create table HFJ_BINARY_STAGE (
    PARTITION_ID integer not null, PARTITION_DATE date, BLOB_ID text collate "C" not null,
    STAGED_AT bigint not null, primary key (PARTITION_ID, BLOB_ID))`,
  // Faster than the default; a server may be built without it.
  `do $$ begin
    alter table HFJ_RESOURCE alter column RES_TEXT set compression lz4;
    alter table HFJ_RES_VER alter column RES_TEXT set compression lz4;
  exception when feature_not_supported then null; end $$`,
  // What a write finds in the way ends its transaction by an error that names it.
  `create function BULKHEAD_REFUSE(KIND text, ORDINALS text) returns integer language plpgsql volatile as $$
  begin
    raise exception using errcode = 'BH001', message = KIND, detail = coalesce(ORDINALS, '');
  end $$`,
  ...securityStatements({ partitioned: PARTITIONED, shared: SHARED, sequences: ['HFJ_RESOURCE_ID'] }),
];
