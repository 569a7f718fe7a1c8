import type { StringTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** Sorts after every text that goes on with something, in the order of UTF-8 bytes. */
const AFTER_ALL = '\u{10FFFF}';

/** https://hl7.org/fhir/R4/search.html#string: the beginning, `:exact` and `:contains`. */
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
  }
}
