/** What takes 0004-full-text back on SQLite, for tests of what was written before it. */
export const WITHOUT_FULL_TEXT = `
  drop view HFJ_RES_FULLTEXT_NEW;
  drop table HFJ_RES_FULLTEXT;
  drop table HFJ_FULLTEXT_TERMS;
  drop table HFJ_FULLTEXT_WORDS;
  delete from HFJ_SETTING where SETTING_KEY like 'search-path:*:text:%';`;

/** The same on PostgreSQL. */
export const POSTGRES_WITHOUT_FULL_TEXT: readonly string[] = [
  'drop function BULKHEAD_FULLTEXT(text, text)',
  'drop table HFJ_RES_FULLTEXT',
  `delete from HFJ_SETTING where SETTING_KEY like 'search-path:*:text:%'`,
];
