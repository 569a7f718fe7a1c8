import type { UriTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { AFTER_ALL, type RowTest } from './row-test.js';

/** https://hl7.org/fhir/R4/search.html#uri: to the letter. */
export function toUriRow(test: UriTest, slots: Slots, { toKey }: SearchDialect): RowTest {
  if ('prefix' in test) {
    const range = slots.addAll([test.prefix, test.prefix + AFTER_ALL]);
    return { sql: '@.SP_VALUE >= ? and @.SP_VALUE < ?', slots: range, reach: 'range' };
  }
  return { sql: '@.SP_VALUE = ?', slots: [slots.add(toKey(test.value))], reach: 'key' };
}
