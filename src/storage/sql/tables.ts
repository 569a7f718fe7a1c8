/** Rows by which searches find resources. */
export const INDEX_TABLES = [
  'HFJ_SPIDX_TOKEN',
  'HFJ_SPIDX_STRING',
  'HFJ_SPIDX_DATE',
  'HFJ_SPIDX_NUMBER',
  'HFJ_SPIDX_QUANTITY',
  'HFJ_SPIDX_URI',
  'HFJ_SPIDX_COMPOSITE',
  'HFJ_RES_FULLTEXT',
  'HFJ_RES_LINK',
] as const;

/**
 * Names of all tables, by what the guard tests need to know of them: partitioned tables hold something of a
 * resource and are opened by `scoped-tables.ts` alone.
 */
export const PARTITIONED_TABLES = [
  'HFJ_RESOURCE',
  'HFJ_RES_VER',
  ...INDEX_TABLES,
  'HFJ_RES_SEARCH_URL',
  'HFJ_RES_ID_CLAIM',
  'HFJ_BINARY_CHUNK',
  'HFJ_BINARY_STAGE',
] as const;

/** Dictionaries and the server's own tables: nothing in them belongs to a resource. */
export const SHARED_TABLES = [
  'HFJ_PARTITION',
  'HFJ_RES_TYPE',
  'HFJ_SP_PATH',
  'HFJ_SYSTEM',
  'HFJ_JOB',
  'HFJ_SETTING',
] as const;

export type PartitionedTable = (typeof PARTITIONED_TABLES)[number];
