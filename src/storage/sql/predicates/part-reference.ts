import { RESOURCE_TYPES } from '../../../fhir/r4/resource-types.js';
import type { ReferenceTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { AFTER_ALL, toTextList, type RowTest } from './row-test.js';

/** What follows `url|` sorts below this character, the one after the bar. */
const AFTER_BAR = '}';

/**
 * The test on a reference of a contained resource, which is kept as text: `Type/id` or a URL. Null for resources that
 * were looked up: their row ids tell nothing of it.
 */
export function toPartReferenceRow(
  test: ReferenceTest,
  slots: Slots,
  dialect: SearchDialect,
): RowTest | null {
  switch (test.kind) {
    case 'local': {
      const types = test.types.length === 0 ? [...RESOURCE_TYPES] : test.types;
      return toListRow(
        types.map((type) => `${type}/${test.id}`),
        slots,
        dialect,
      );
    }
    case 'url':
      return test.anyVersion
        ? toVersionsRow(test.url, slots, dialect)
        : toListRow([test.url], slots, dialect);
    case 'urls':
      return toListRow(test.urls, slots, dialect);
    case 'urlPrefix': {
      const range = slots.addAll([test.prefix, test.prefix + AFTER_ALL]);
      return { sql: '@.SP_VALUE >= ? and @.SP_VALUE < ?', slots: range, reach: 'range' };
    }
    case 'rows':
      return null;
  }
}

/** Any reference that leads to a resource of the type; one to another server tells it by its URL. */
export function toPartTargetRow(type: string, slots: Slots): RowTest {
  const begin = `${type}/`;
  const values = slots.addAll([begin, begin + AFTER_ALL, `/${begin}`]);
  const isElsewhere = "replace(@.SP_VALUE, ?, '') <> @.SP_VALUE";
  return { sql: `(@.SP_VALUE >= ? and @.SP_VALUE < ? or ${isElsewhere})`, slots: values, reach: 'scan' };
}

function toListRow(values: readonly string[], slots: Slots, dialect: SearchDialect): RowTest {
  const [only] = values;
  if (values.length === 1 && only !== undefined)
    return { sql: '@.SP_VALUE = ?', slots: [slots.add(dialect.toKey(only))], reach: 'key' };
  const list = slots.add(toTextList(values, dialect));
  return { sql: dialect.inTexts('@.SP_VALUE'), slots: [list], reach: 'range' };
}

function toVersionsRow(url: string, slots: Slots, { toKey }: SearchDialect): RowTest {
  const values = slots.addAll([toKey(url), `${url}|`, `${url}${AFTER_BAR}`]);
  return {
    sql: '(@.SP_VALUE = ? or (@.SP_VALUE >= ? and @.SP_VALUE < ?))',
    slots: values,
    reach: 'range',
  };
}
