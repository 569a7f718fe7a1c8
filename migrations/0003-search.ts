import type { Knex } from 'knex';
import { isNative, likeResources } from './native-tables.js';
import { markOldData } from './pending-path.js';
import { isPostgresClient } from './postgres-client.js';
import { securityStatements } from './postgres-security.js';

/**
 * Tables of searches that came after the first ones. Older servers may not go on: what they write would not be found.
 * What was written before has no rows here until it is indexed anew.
 */
export async function up(knex: Knex): Promise<void> {
  await addComposites(knex);
  await markOldData(knex, PENDING);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

const COMPOSITE = 'HFJ_SPIDX_COMPOSITE';

/** Composites of all types: kept as paths are that wait for a reindex; the key ends with a digest of the path. */
const PENDING = {
  key: 'search-path:*:composite:684888c0ebb17f374298b65ee2807526',
  path: { resourceType: '*', kind: 'composite', path: '*', expression: '', state: 'pending' },
};

/**
 * Values in elements that repeat, for composite parameters: SP_ELEMENT counts the elements of a resource, and values
 * with the same one belong together.
 */
const COMPOSITE_SQLITE: readonly string[] = [
  `create table ${COMPOSITE} (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, SP_VALUE text not null,
    SYS_ID integer not null, SP_LOW real not null, SP_UNIT text not null, SP_ELEMENT integer not null, SP_HIGH real,
    SP_CANON_UNIT text, RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, SP_UNIT, RES_ID, SP_ELEMENT)) without rowid`,
  `create index COMPOSITE_RESOURCE on ${COMPOSITE} (RES_ID, PARAM_ID, SP_ELEMENT)`,
];

const COMPOSITE_POSTGRES: readonly string[] = [
  `create index SPIDX_COMPOSITE_KEY on ${COMPOSITE}
    (PARTITION_ID, PARAM_ID, SP_VALUE, SYS_ID, SP_LOW, RES_ID, SP_ELEMENT)`,
  `create index COMPOSITE_RESOURCE on ${COMPOSITE} (RES_ID, PARAM_ID, SP_ELEMENT) include (PARTITION_ID)`,
  ...securityStatements({ partitioned: [COMPOSITE], shared: [], sequences: [] }),
];

const createPostgres = (partitioning: string): string => `create table ${COMPOSITE} (
  PARTITION_ID integer not null, PARTITION_DATE date, PARAM_ID integer not null, SP_VALUE text collate "C" not null,
  SYS_ID integer not null, SP_LOW double precision not null, SP_UNIT text collate "C" not null,
  SP_ELEMENT integer not null, SP_HIGH double precision, SP_CANON_UNIT text collate "C",
  RES_ID bigint not null) ${partitioning}`;

async function addComposites(knex: Knex): Promise<void> {
  if (!isPostgresClient(knex)) {
    for (const statement of COMPOSITE_SQLITE) await knex.raw(statement);
    return;
  }
  const native = await isNative(knex);
  await knex.raw(createPostgres(native ? 'partition by list (PARTITION_ID)' : ''));
  for (const statement of COMPOSITE_POSTGRES) await knex.raw(statement);
  if (native) await knex.raw(likeResources(COMPOSITE));
}
