import type { TextTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import type { TextSlots } from '../text-dialect.js';
import { rankedWords } from '../text-query.js';
import type { RowTest } from './row-test.js';

/** Whose words are looked at (see `wordPrefixes`), and what values are collected in. */
export interface TextParts {
  readonly prefixes: readonly string[];
  readonly slots: Slots;
  readonly dialect: SearchDialect;
}

/** https://hl7.org/fhir/R4/search.html#text: the query alone, as an index of words answers it. */
export function toTextRow(test: TextTest, { prefixes, slots, dialect }: TextParts): RowTest {
  return { sql: '', slots: [slots.add(dialect.text.toQuery(test, prefixes))], reach: 'scan' };
}

/** How well resources fit. */
export function toTextSlots(test: TextTest, { prefixes, slots, dialect }: TextParts): TextSlots {
  return {
    part: test.part,
    query: slots.add(dialect.text.toQuery(test, prefixes)),
    ranking: slots.add(dialect.text.toRanking(test, prefixes)),
    words: slots.add(rankedWords(test.query).length),
  };
}
