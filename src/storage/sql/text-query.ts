import { FhirError } from '../../model/errors.js';
import type { PartitionId } from '../../model/partition.js';
import type { TextQuery, TextTest } from '../search-store.js';
import { WORD_MARK } from './index-rows.js';

/** Where words are looked for: in the language of the database, each word with the mark before it. */
export interface TextLanguage {
  readonly phrase: (
    words: readonly string[],
    how: { readonly prefix: boolean } & Pick<TextTest, 'part'>,
  ) => string;
  readonly and: string;
  readonly or: string;
  /** All of the first, none of the others. */
  readonly without: (wanted: string, unwanted: readonly string[]) => string;
  /** The whole query about one part of the resource. */
  readonly within: (query: string, part: TextTest['part']) => string;
}

/** A word that counts for the relevance of what was found. */
export interface RankedWord {
  readonly word: string;
  readonly prefix: boolean;
}

/** More of them in one search take too long. */
const MOST_PLACES = 20_000;

/**
 * What begins the words of each partition and PARAM_ID: no word of another one begins so.
 * @throws FhirError LIMIT_EXCEEDED
 */
export function wordPrefixes(
  partitions: readonly PartitionId[],
  params: readonly number[],
): readonly string[] {
  const distinct = [...new Set(partitions)];
  if (distinct.length * params.length > MOST_PLACES) {
    const message = `Full text is searched in at most ${MOST_PLACES} partitions times types; name a type, or fewer of them.`;
    throw new FhirError('LIMIT_EXCEEDED', message);
  }
  return distinct.flatMap((partition) => params.map((param) => `${partition}:${param}:`));
}

/** The query in every one of the places. */
export function writeTextQuery(test: TextTest, prefixes: readonly string[], language: TextLanguage): string {
  const template = language.within(write(test.query, test.part, language), test.part);
  return prefixes.map((prefix) => `(${template.replaceAll(WORD_MARK, prefix)})`).join(language.or);
}

function write(query: TextQuery, part: TextTest['part'], language: TextLanguage): string {
  switch (query.kind) {
    case 'phrase':
      return language.phrase(
        query.words.map((word) => WORD_MARK + word),
        { prefix: query.prefix, part },
      );
    case 'any':
      return `(${query.of.map((one) => write(one, part, language)).join(language.or)})`;
    case 'all': {
      const wanted = query.of.filter(({ kind }) => kind !== 'not');
      const unwanted = query.of.flatMap((one) => (one.kind === 'not' ? [write(one.of, part, language)] : []));
      const all = wanted.map((one) => write(one, part, language)).join(language.and);
      return unwanted.length === 0 ? `(${all})` : `(${language.without(`(${all})`, unwanted)})`;
    }
    case 'not':
      throw new Error('What is not wanted stands beside what is.');
  }
}

/** The words that are wanted, in their order. */
export function rankedWords(query: TextQuery): readonly RankedWord[] {
  switch (query.kind) {
    case 'phrase':
      return query.words.map((word, at) => ({
        word,
        prefix: query.prefix && at === query.words.length - 1,
      }));
    case 'all':
    case 'any':
      return query.of.flatMap(rankedWords);
    case 'not':
      return [];
  }
}
