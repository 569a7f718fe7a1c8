import type { NumberTest, QuantityTest, QuantityUnit } from '../../search-store.js';
import type { Slots } from '../slots.js';
import { toPlaceRow } from './near.js';
import { compareNumber } from './number.js';
import { compareRange } from './range.js';
import type { RowTest } from './row-test.js';
import type { KnownSystem } from './system.js';

type Condition = Pick<RowTest, 'sql' | 'slots'>;
type AmountTest = Exclude<QuantityTest, { over: 'place' }>;

/** https://hl7.org/fhir/R4/search.html#quantity */
export function toQuantityRow({ test, systemId }: KnownSystem<QuantityTest>, slots: Slots): RowTest {
  if (test.over === 'place') return toPlaceRow(test, slots);
  const number = compareAmount(test, slots);
  const conditions = [number, ...(test.over === 'range' ? toRangeUnit : toUnitRow)(test.unit, slots)];
  if (systemId !== undefined) conditions.push({ sql: '@.SYS_ID = ?', slots: [slots.add(systemId)] });
  const sql = conditions.map((condition) => condition.sql).join(' and ');
  return { ...number, sql, slots: conditions.flatMap((condition) => condition.slots) };
}

function compareAmount(test: AmountTest & NumberTest, slots: Slots): RowTest {
  if (test.over === 'range') return compareRange(test, slots);
  return compareNumber(test.unit.kind === 'canonical' ? '@.SP_CANON_VALUE' : '@.SP_VALUE', test, slots);
}

function toUnitRow(unit: QuantityUnit, slots: Slots): readonly Condition[] {
  switch (unit.kind) {
    case 'any':
    case 'system':
      return [];
    case 'code':
      return [{ sql: '@.SP_CODE = ?', slots: [slots.add(unit.code)] }];
    case 'label':
      return [{ sql: '(@.SP_CODE = ? or @.SP_UNIT = ?)', slots: slots.addAll([unit.label, unit.label]) }];
    case 'canonical':
      return [{ sql: '@.SP_CANON_VALUE is not null and @.SP_CANON_UNIT = ?', slots: [slots.add(unit.unit)] }];
  }
}

/** Of a range the rows in canonical units have one, and all others have none. */
function toRangeUnit(unit: QuantityUnit, slots: Slots): readonly Condition[] {
  if (unit.kind === 'canonical') return [{ sql: '@.SP_CANON_UNIT = ?', slots: [slots.add(unit.unit)] }];
  const plain: Condition = { sql: '@.SP_CANON_UNIT is null', slots: [] };
  if (unit.kind === 'any' || unit.kind === 'system') return [plain];
  const code = unit.kind === 'code' ? unit.code : unit.label;
  return [plain, { sql: '@.SP_CODE = ?', slots: [slots.add(code)] }];
}

/** The URL of the system that a test names; undefined where it names none. */
export function unitSystem(test: QuantityTest): string | undefined {
  if (test.over === 'place') return undefined;
  return test.unit.kind === 'code' || test.unit.kind === 'system' ? test.unit.system : undefined;
}
