import type { Knex } from 'knex';
import { MOST_RELEVANT, type TextTest } from '../search-store.js';
import { WORD_MARK } from './index-rows.js';
import type { ScopedTables } from './scoped-tables.js';
import { toMarkers, type Slot } from './slots.js';
import { rankedWords, type TextLanguage, writeTextQuery } from './text-query.js';

/** The values of one search by words. */
export interface TextSlots {
  readonly part: TextTest['part'];
  readonly query: Slot;
  readonly ranking: Slot;
  /** How many words count for the relevance. */
  readonly words: Slot;
}

/** A query that stands on the words of resources. */
export interface TextSource {
  readonly tables: ScopedTables;
  readonly knex: Knex;
  readonly alias: string;
}

/** Full text search of one database. */
export interface TextDialect {
  /** The text that finds; `prefixes`: see `wordPrefixes`. */
  readonly toQuery: (test: TextTest, prefixes: readonly string[]) => string;
  /** The text that relevance is worked out by. */
  readonly toRanking: (test: TextTest, prefixes: readonly string[]) => string;
  /** Resources that fit: RES_ID and PARTITION_ID of the alias, each resource once. */
  readonly open: (source: TextSource, query: Slot) => Knex.QueryBuilder;
  /** RES_ID, and SCORE up to MOST_RELEVANT. */
  readonly relevance: (source: TextSource, slots: TextSlots) => Knex.QueryBuilder;
}

/** https://www.sqlite.org/fts5.html#full_text_query_syntax */
const FTS5: TextLanguage = {
  phrase: (words, { prefix }) => `"${words.join(' ')}"${prefix ? ' *' : ''}`,
  and: ' AND ',
  or: ' OR ',
  without: (wanted, unwanted) => `${wanted} NOT (${unwanted.join(' OR ')})`,
  within: (query, part) => (part === 'narrative' ? `{narrative} : ${query}` : query),
};

/** Sorts after every word that goes on with something. */
const AFTER_ALL = '\u{10FFFF}';

/**
 * Of each word that occurs n times in a resource n / (n + 1) counts, and the mean of all words is the relevance. bm25
 * would bring in how many resources have the word, so that pages would shift with every write, and homes could not be
 * put together.
 */
export const SQLITE_TEXT: TextDialect = {
  toQuery: (test, prefixes) => writeTextQuery(test, prefixes, FTS5),
  toRanking: ({ query }, prefixes) =>
    JSON.stringify(
      rankedWords(query).flatMap(({ word, prefix }, at) =>
        prefixes.map((place) => {
          const from = place + word;
          return [from, prefix ? from + AFTER_ALL : from, at];
        }),
      ),
    ),
  open: ({ tables, knex, alias }, query) => {
    const words = `${alias}w`;
    const found = knex.queryBuilder().from(knex.raw(`HFJ_FULLTEXT_WORDS as ${words}`));
    found.whereRaw(`${words}.HFJ_FULLTEXT_WORDS match ?`, toMarkers([query]));
    return tables.joinByRowId(found, 'HFJ_RESOURCE', alias).whereRaw(`${alias}.RES_ID = ${words}.rowid`);
  },
  relevance: ({ knex, alias }, { part, ranking, words }) => {
    const narrative = part === 'narrative' ? ` and v.col = 'narrative'` : '';
    const counts = `(select v.doc as RES_ID, json_extract(j.value, '$[2]') as WORD, count(*) as N
      from json_each(?) as j cross join HFJ_FULLTEXT_TERMS as v
      where v.term >= json_extract(j.value, '$[0]') and v.term <= json_extract(j.value, '$[1]')${narrative}
      group by v.doc, WORD)`;
    const score = `cast(sum(${alias}.N / (${alias}.N + 1.0)) * ${MOST_RELEVANT} / ? as integer) as SCORE`;
    return knex
      .queryBuilder()
      .from(knex.raw(`${counts} as ${alias}`, toMarkers([ranking])))
      .select(`${alias}.RES_ID`, knex.raw(score, toMarkers([words])))
      .groupBy(`${alias}.RES_ID`);
  },
};

/** https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY */
const TSQUERY: TextLanguage = {
  phrase: (words, { prefix, part }) => {
    const weight = part === 'narrative' ? 'A' : '';
    const terms = words.map((word, at) => {
      const flags = `${prefix && at === words.length - 1 ? '*' : ''}${weight}`;
      return `'${word}'${flags === '' ? '' : `:${flags}`}`;
    });
    return `(${terms.join(' <-> ')})`;
  },
  and: ' & ',
  or: ' | ',
  without: (wanted, unwanted) => `${wanted} & !(${unwanted.join(' | ')})`,
  within: (query) => query,
};

/** Through BULKHEAD_FULLTEXT, as policies keep the planner from the index; it looks at the same settings as they do. */
export const POSTGRES_TEXT: TextDialect = {
  toQuery: (test, prefixes) => writeTextQuery(test, prefixes, TSQUERY),
  toRanking: (test) => writeTextQuery(test, [WORD_MARK], TSQUERY),
  open: ({ tables, knex, alias }, query) => {
    const found = knex.raw(`BULKHEAD_FULLTEXT(?, null) as ${alias}`, toMarkers([query]));
    return tables.hold(knex.queryBuilder().from(found), alias);
  },
  relevance: ({ tables, knex, alias }, { query, ranking }) => {
    const found = knex.raw(`BULKHEAD_FULLTEXT(?, ?) as ${alias}`, toMarkers([query, ranking]));
    return tables
      .hold(knex.queryBuilder().from(found), alias)
      .select(`${alias}.RES_ID`, knex.raw(`max(${alias}.SCORE) as SCORE`))
      .groupBy(`${alias}.RES_ID`);
  },
};
