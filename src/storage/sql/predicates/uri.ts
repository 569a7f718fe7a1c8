import type { UriTest } from '../../search-store.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** https://hl7.org/fhir/R4/search.html#uri: to the letter. */
export function toUriRow(test: UriTest, slots: Slots): RowTest {
  return { sql: '@.SP_VALUE = ?', slots: [slots.add(test.value)], reach: 'key' };
}
