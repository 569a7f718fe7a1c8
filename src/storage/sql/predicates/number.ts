import type { NumberTest } from '../../search-store.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** https://hl7.org/fhir/R4/search.html#number */
export function toNumberRow(test: NumberTest, slots: Slots): RowTest {
  return compareNumber('@.SP_VALUE', test, slots);
}

/** Only equality looks at the implicit precision; every other prefix takes the number as it stands. */
export function compareNumber(column: string, test: NumberTest, slots: Slots): RowTest {
  switch (test.comparison) {
    case 'eq':
      return between(`${column} >= ? and ${column} < ?`, test, slots);
    case 'ne':
      return between(`(${column} < ? or ${column} >= ?)`, test, slots);
    case 'ap':
      return between(`${column} >= ? and ${column} <= ?`, test, slots);
    case 'gt':
    case 'sa':
      return against(`${column} > ?`, test, slots);
    case 'lt':
    case 'eb':
      return against(`${column} < ?`, test, slots);
    case 'ge':
      return against(`${column} >= ?`, test, slots);
    case 'le':
      return against(`${column} <= ?`, test, slots);
  }
}

function between(sql: string, test: NumberTest, slots: Slots): RowTest {
  return { sql, slots: [slots.add(test.low), slots.add(test.high)], reach: 'range' };
}

function against(sql: string, test: NumberTest, slots: Slots): RowTest {
  return { sql, slots: [slots.add(test.value)], reach: 'range' };
}
