import { WORD_BREAKS } from '../../../fhir/normalize.js';
import type { StringComparison, StringTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { padded } from '../scoped-tables.js';
import { AFTER_ALL, type Reach, type RowTest } from './row-test.js';

/** The text with a space before each word. */
const SPACED = WORD_BREAKS.reduce((sql, mark) => `replace(${sql}, '${mark}', ' ')`, "' ' || @.SP_NORM");

/** How whole texts are compared; a resource may have several rows of one normalized text. */
const COMPARED: Readonly<Record<StringComparison, { readonly sql: string; readonly reach: Reach }>> = {
  eq: { sql: '@.SP_NORM = ?', reach: 'range' },
  ne: { sql: '@.SP_NORM <> ?', reach: 'scan' },
  gt: { sql: '@.SP_NORM > ?', reach: 'scan' },
  lt: { sql: '@.SP_NORM < ?', reach: 'scan' },
  ge: { sql: '@.SP_NORM >= ?', reach: 'scan' },
  le: { sql: '@.SP_NORM <= ?', reach: 'scan' },
};

/** https://hl7.org/fhir/R4/search.html#string: the beginning, `:exact`, `:contains`, and words for `:text`. */
export function toStringRow(test: StringTest, slots: Slots, dialect: SearchDialect): RowTest {
  switch (test.match) {
    case 'prefix': {
      const range = [slots.add(test.normalized), slots.add(test.normalized + AFTER_ALL)];
      return { sql: '@.SP_NORM >= ? and @.SP_NORM < ?', slots: range, reach: 'range' };
    }
    case 'exact': {
      const both = [slots.add(test.normalized), slots.add(test.exact)];
      return { sql: '@.SP_NORM = ? and @.SP_EXACT = ?', slots: both, reach: 'key' };
    }
    case 'contains':
      return { sql: dialect.contains('@.SP_NORM'), slots: [slots.add(test.normalized)], reach: 'scan' };
    case 'words': {
      const spaced = slots.addAll(padded(test.words).map((word) => ` ${word}`));
      const sql = spaced.map(() => dialect.contains(SPACED)).join(' and ');
      return { sql, slots: spaced, reach: 'scan' };
    }
    case 'suffix': {
      const end = [slots.add([...test.normalized].length), slots.add(test.normalized)];
      return { sql: 'substr(@.SP_NORM, length(@.SP_NORM) - ? + 1) = ?', slots: end, reach: 'scan' };
    }
    default:
      return { ...COMPARED[test.match], slots: [slots.add(test.normalized)] };
  }
}
