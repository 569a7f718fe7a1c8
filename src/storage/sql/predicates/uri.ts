import type { UriTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { AFTER_ALL, toTextList, type RowTest } from './row-test.js';

/** What a path segment, a fragment or a version of a URI begins with. */
const SEGMENT_MARKS = "('/', '#', '|')";

/** https://hl7.org/fhir/R4/search.html#uri: to the letter, or by segments. */
export function toUriRow(test: UriTest, slots: Slots, dialect: SearchDialect): RowTest {
  if ('below' in test) return toBelowRow(test.below, slots);
  if ('value' in test)
    return { sql: '@.SP_VALUE = ?', slots: [slots.add(dialect.toKey(test.value))], reach: 'key' };
  if ('unequal' in test)
    return { sql: '@.SP_VALUE <> ?', slots: [slots.add(dialect.toKey(test.unequal))], reach: 'scan' };
  const list = slots.add(toTextList(test.values, dialect));
  return { sql: dialect.inTexts('@.SP_VALUE'), slots: [list], reach: 'range' };
}

/** One walk over what begins alike; `http://x/ab` begins like `http://x/a` and is not below it. */
function toBelowRow(start: string, slots: Slots): RowTest {
  const next = [...start].length + 1;
  return {
    sql:
      '@.SP_VALUE >= ? and @.SP_VALUE < ?' +
      ` and (@.SP_VALUE = ? or substr(@.SP_VALUE, ?, 1) in ${SEGMENT_MARKS})`,
    slots: slots.addAll([start, start + AFTER_ALL, start, next]),
    reach: 'range',
  };
}
