import type { QuantityTest, QuantityUnit } from '../../search-store.js';
import type { Slots } from '../slots.js';
import { compareNumber } from './number.js';
import type { RowTest } from './row-test.js';
import { SYSTEM_IS } from './token.js';

/** https://hl7.org/fhir/R4/search.html#quantity */
export function toQuantityRow(test: QuantityTest, slots: Slots): RowTest {
  const column = test.unit.kind === 'canonical' ? '@.SP_CANON_VALUE' : '@.SP_VALUE';
  const number = compareNumber(column, test, slots);
  const unit = toUnitRow(test.unit, slots);
  return unit === null
    ? number
    : { ...number, sql: `${number.sql} and ${unit.sql}`, slots: [...number.slots, ...unit.slots] };
}

function toUnitRow(unit: QuantityUnit, slots: Slots): Pick<RowTest, 'sql' | 'slots'> | null {
  switch (unit.kind) {
    case 'any':
      return null;
    case 'code':
      return { sql: `@.SP_CODE = ? and ${SYSTEM_IS}`, slots: [slots.add(unit.code), slots.add(unit.system)] };
    case 'system':
      return { sql: SYSTEM_IS, slots: [slots.add(unit.system)] };
    case 'label':
      return { sql: '(@.SP_CODE = ? or @.SP_UNIT = ?)', slots: slots.addAll([unit.label, unit.label]) };
    case 'canonical':
      return { sql: '@.SP_CANON_VALUE is not null and @.SP_CANON_UNIT = ?', slots: [slots.add(unit.unit)] };
  }
}
