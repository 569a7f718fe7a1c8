/** What takes 0013-param-sets back. */
export const WITHOUT_PARAM_SETS = `
  drop table HFJ_RES_PARAMS;
  drop index RESOURCE_PARAMS;
  alter table HFJ_RESOURCE drop column RES_PARAMS_ID;`;

/** What takes 0007-bulk-export back, with what came later, for tests of what was written before it. */
export const WITHOUT_EXPORTS = `
  drop table HFJ_AUTH_CLIENT;
  drop table HFJ_AUTH_JTI;
  drop table HFJ_PARTITION_HORIZON;
  drop table HFJ_PARTITION_USAGE;
  ${WITHOUT_PARAM_SETS}
  drop table HFJ_BLK_EXPORT_JOB;
  drop table HFJ_BLK_EXPORT_COLFILE;
  drop table HFJ_BLK_EXPORT_MATCH;`;

/** What takes 0004-full-text back on SQLite, with what came later. */
export const WITHOUT_FULL_TEXT = `
  ${WITHOUT_EXPORTS}
  drop view HFJ_RES_FULLTEXT_NEW;
  drop table HFJ_RES_FULLTEXT;
  drop table HFJ_FULLTEXT_TERMS;
  drop table HFJ_FULLTEXT_WORDS;
  delete from HFJ_SETTING where SETTING_KEY like 'search-path:*:text:%';`;

/** The same on PostgreSQL. */
export const POSTGRES_WITHOUT_FULL_TEXT: readonly string[] = [
  WITHOUT_EXPORTS,
  'drop function BULKHEAD_FULLTEXT(text, text)',
  'drop table HFJ_RES_FULLTEXT',
  `delete from HFJ_SETTING where SETTING_KEY like 'search-path:*:text:%'`,
];
