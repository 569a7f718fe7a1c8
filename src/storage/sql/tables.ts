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

/** What is there of resources: it moves with its partition, and is counted where a partition shall be empty. */
export const RESOURCE_TABLES = [
  'HFJ_RESOURCE',
  'HFJ_RES_VER',
  ...INDEX_TABLES,
  'HFJ_RES_SEARCH_URL',
  'HFJ_RES_ID_CLAIM',
  'HFJ_BINARY_CHUNK',
  'HFJ_BINARY_STAGE',
] as const;

/**
 * What a partition has beside its resources, where these are: until when its past is fixed, what it holds, and which sets
 * of paths its resources have index rows on.
 */
export const TABLES_BESIDE_RESOURCES = [
  'HFJ_PARTITION_HORIZON',
  'HFJ_PARTITION_USAGE',
  'HFJ_RES_PARAMS',
] as const;

/** Bulk exports, in the main database. Without the job nobody adds to the others any more. */
export const EXPORT_TABLES = [
  'HFJ_BLK_EXPORT_JOB',
  'HFJ_BLK_EXPORT_COLFILE',
  'HFJ_BLK_EXPORT_MATCH',
] as const;

/** Clients of the authorization server, in the main database. Without the client nobody adds to the other any more. */
export const CLIENT_TABLES = ['HFJ_AUTH_CLIENT', 'HFJ_AUTH_JTI'] as const;

/** What the main database keeps of a partition, wherever its resources are; it ends with the partition. */
export const MAIN_TABLES_OF_PARTITION = [...EXPORT_TABLES, ...CLIENT_TABLES] as const;

/** What stays in the main database when a partition leaves it. */
export const STAYING_TABLES: ReadonlySet<string> = new Set(['HFJ_RES_ID_CLAIM', ...MAIN_TABLES_OF_PARTITION]);

/**
 * Names of all tables, by what the guard tests need to know of them: partitioned tables hold something of a
 * partition, and are opened by `scoped-tables.ts` where SQL is compiled.
 */
export const PARTITIONED_TABLES = [
  ...RESOURCE_TABLES,
  ...TABLES_BESIDE_RESOURCES,
  ...MAIN_TABLES_OF_PARTITION,
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
export type ResourceTable = (typeof RESOURCE_TABLES)[number];
