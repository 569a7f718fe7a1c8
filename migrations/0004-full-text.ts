import type { Knex } from 'knex';
import { isNative, likeResources } from './native-tables.js';
import { markOldData } from './pending-path.js';
import { isPostgresClient } from './postgres-client.js';
import { fullTextFunction } from './postgres-full-text.js';
import { securityStatements } from './postgres-security.js';

/**
 * The words of resources, for `_text` and `_content`. Every word begins with the partition and the PARAM_ID that its
 * resource belongs to, so that an index of words is walked through for one of them as if there were no others. Older
 * servers may not go on: what they write would not be found.
 */
export async function up(knex: Knex): Promise<void> {
  await (isPostgresClient(knex) ? addToPostgres(knex) : addToSqlite(knex));
  await markOldData(knex, PENDING);
}

/** Migrations go forward only. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; restore a backup to go back.');
}

const TABLE = 'HFJ_RES_FULLTEXT';

/** Words of all types: kept as paths are that wait for a reindex; the key ends with a digest of the path. */
const PENDING = {
  key: 'search-path:*:text:684888c0ebb17f374298b65ee2807526',
  path: { resourceType: '*', kind: 'text', path: '*', expression: '', state: 'pending' },
};

/** A part of SP_WORDS with the words of one partition and PARAM_ID; through a view numbers come as they were bound. */
const owned = (part: string): string =>
  `replace(${part}, '@', cast(new.PARTITION_ID as integer) || ':' || cast(new.PARAM_ID as integer) || ':')`;
const NARRATIVE_LENGTH = 'instr(new.SP_WORDS, char(12))';

/**
 * HFJ_RES_FULLTEXT says which resources have words; those stand in an index without contents, by RES_ID. Who inserts
 * into HFJ_RES_FULLTEXT_NEW and deletes from HFJ_RES_FULLTEXT keeps both equal. SP_WORDS are words as in
 * `@one @two\f@three`: those of the narrative, a form feed, the others.
 */
const SQLITE: readonly string[] = [
  `create table ${TABLE} (
    PARTITION_ID integer not null, PARTITION_DATE integer, PARAM_ID integer not null, RES_ID integer not null,
    primary key (PARTITION_ID, PARAM_ID, RES_ID)) without rowid`,
  `create virtual table HFJ_FULLTEXT_WORDS using fts5 (
    narrative, content, content = '', contentless_delete = 1, tokenize = "ascii tokenchars ':-'")`,
  `create virtual table HFJ_FULLTEXT_TERMS using fts5vocab (HFJ_FULLTEXT_WORDS, instance)`,
  `create view ${TABLE}_NEW as
    select PARTITION_ID, PARTITION_DATE, PARAM_ID, null as SP_WORDS, RES_ID from ${TABLE}`,
  `create trigger FULLTEXT_ADDED instead of insert on ${TABLE}_NEW
    when not exists (select 1 from ${TABLE} t where t.PARTITION_ID = new.PARTITION_ID
      and t.PARAM_ID = new.PARAM_ID and t.RES_ID = new.RES_ID)
    begin
      insert into ${TABLE} (PARTITION_ID, PARTITION_DATE, PARAM_ID, RES_ID)
        values (new.PARTITION_ID, new.PARTITION_DATE, new.PARAM_ID, new.RES_ID);
      insert into HFJ_FULLTEXT_WORDS (rowid, narrative, content) values (new.RES_ID,
        ${owned(`substr(new.SP_WORDS, 1, ${NARRATIVE_LENGTH} - 1)`)},
        ${owned(`substr(new.SP_WORDS, ${NARRATIVE_LENGTH} + 1)`)});
    end`,
  `create trigger FULLTEXT_GONE after delete on ${TABLE}
    begin
      delete from HFJ_FULLTEXT_WORDS where rowid = old.RES_ID;
    end`,
];

async function addToSqlite(knex: Knex): Promise<void> {
  for (const statement of SQLITE) await knex.raw(statement);
}

const createPostgres = (partitioning: string): string => `create table ${TABLE} (
  PARTITION_ID integer not null, PARTITION_DATE date, PARAM_ID integer not null, SP_WORDS tsvector not null,
  RES_ID bigint not null) ${partitioning}`;

/** The list of what is not in the index yet is looked through by every search, so that it must stay short. */
const POSTGRES: readonly string[] = [
  `create index FULLTEXT_KEY on ${TABLE} (PARTITION_ID, PARAM_ID, RES_ID)`,
  `create index FULLTEXT_WORDS on ${TABLE} using gin (SP_WORDS) with (gin_pending_list_limit = 512)`,
  ...securityStatements({ partitioned: [TABLE], shared: [], sequences: [] }),
];

async function addToPostgres(knex: Knex): Promise<void> {
  const native = await isNative(knex);
  await knex.raw(createPostgres(native ? 'partition by list (PARTITION_ID)' : ''));
  for (const statement of [...POSTGRES, ...fullTextFunction(TABLE)]) await knex.raw(statement);
  if (native) await knex.raw(likeResources(TABLE));
}
