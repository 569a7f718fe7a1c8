import type { ReferenceTest } from '../../search-store.js';
import type { Dictionary } from '../dictionary.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** What follows `url|` sorts below this character, the one after the bar. */
const AFTER_BAR = '}';

/**
 * https://hl7.org/fhir/R4/search.html#reference. Answers null where nothing can match: a type that was never
 * written.
 */
export function toReferenceRow(test: ReferenceTest, slots: Slots, dictionary: Dictionary): RowTest | null {
  if (test.kind === 'url') return toUrlRow(test.url, test.anyVersion, slots);
  const types = test.types.map((type) => dictionary.typeId(type)).filter((id) => id !== undefined);
  if (test.types.length > 0 && types.length === 0) return null;
  const reach = types.length === 1 ? 'key' : 'range';
  const target = { types: slots.addAll(types), id: slots.add(test.id) };
  return { sql: "@.TARGET_URL = ''", slots: [], reach, target };
}

function toUrlRow(url: string, anyVersion: boolean, slots: Slots): RowTest {
  if (!anyVersion)
    return { sql: '@.TARGET_RES_ID = 0 and @.TARGET_URL = ?', slots: [slots.add(url)], reach: 'key' };
  const values = slots.addAll([url, `${url}|`, `${url}${AFTER_BAR}`]);
  const sql = '@.TARGET_RES_ID = 0 and (@.TARGET_URL = ? or (@.TARGET_URL >= ? and @.TARGET_URL < ?))';
  return { sql, slots: values, reach: 'range' };
}
