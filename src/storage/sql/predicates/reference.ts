import type { ReferenceTest } from '../../search-store.js';
import type { Dictionary } from '../dictionary.js';
import type { SearchDialect } from '../search-dialect.js';
import type { SlotList, Slots } from '../slots.js';
import { AFTER_ALL, toTextList, type RowTest } from './row-test.js';

type UrlTest = Extract<ReferenceTest, { kind: 'url' }>;
type LocalTest = Extract<ReferenceTest, { kind: 'local' }>;

/** What follows `url|` sorts below this character, the one after the bar. */
const AFTER_BAR = '}';

/**
 * https://hl7.org/fhir/R4/search.html#reference. Answers null where nothing can match: a type that was never
 * written.
 */
export function toReferenceRow(
  test: ReferenceTest,
  slots: Slots,
  { dictionary, dialect }: { readonly dictionary: Dictionary; readonly dialect: SearchDialect },
): RowTest | null {
  switch (test.kind) {
    case 'url':
      return toUrlRow(test, slots, dialect);
    case 'urlPrefix': {
      const range = slots.addAll([test.prefix, test.prefix + AFTER_ALL]);
      const sql = '@.TARGET_RES_ID = 0 and @.TARGET_URL >= ? and @.TARGET_URL < ?';
      return { sql, slots: range, reach: 'range' };
    }
    case 'urls': {
      const list = slots.add(toTextList(test.urls, dialect));
      const sql = `@.TARGET_RES_ID = 0 and ${dialect.inTexts('@.TARGET_URL')}`;
      return { sql, slots: [list], reach: 'range' };
    }
    case 'rows': {
      const list = slots.add(JSON.stringify(test.rowIds));
      const sql = `@.TARGET_URL = '' and ${dialect.inRowIds('@.TARGET_RES_ID')}`;
      return { sql, slots: [list], reach: 'range' };
    }
    case 'local':
      return toLocalRow(test, slots, dictionary);
  }
}

function toLocalRow(test: LocalTest, slots: Slots, dictionary: Dictionary): RowTest | null {
  const types = toTypes(test.types, slots, dictionary);
  if (types === null) return null;
  const reach = 'length' in types && types.length === 1 ? 'key' : 'range';
  return { sql: "@.TARGET_URL = ''", slots: [], reach, target: { types, id: slots.add(test.id) } };
}

/** An id without a type: a seek for each type is far cheaper than every id of the partition. */
function toTypes(types: readonly string[], slots: Slots, dictionary: Dictionary): SlotList | null {
  if (types.length === 0) return slots.addJson(dictionary.typeIds());
  const ids = types.map((type) => dictionary.typeId(type)).filter((id) => id !== undefined);
  return ids.length === 0 ? null : slots.addAll(ids);
}

function toUrlRow({ url, anyVersion }: UrlTest, slots: Slots, { toKey }: SearchDialect): RowTest {
  const exact = toKey(url);
  if (!anyVersion)
    return { sql: '@.TARGET_RES_ID = 0 and @.TARGET_URL = ?', slots: [slots.add(exact)], reach: 'key' };
  const values = slots.addAll([exact, `${url}|`, `${url}${AFTER_BAR}`]);
  const sql = '@.TARGET_RES_ID = 0 and (@.TARGET_URL = ? or (@.TARGET_URL >= ? and @.TARGET_URL < ?))';
  return { sql, slots: values, reach: 'range' };
}
