import type { QuantityTest, QuantityUnit } from '../../search-store.js';
import type { Slots } from '../slots.js';
import { compareNumber } from './number.js';
import type { RowTest } from './row-test.js';
import type { KnownSystem } from './system.js';

type Condition = Pick<RowTest, 'sql' | 'slots'>;

/** https://hl7.org/fhir/R4/search.html#quantity */
export function toQuantityRow({ test, systemId }: KnownSystem<QuantityTest>, slots: Slots): RowTest {
  const column = test.unit.kind === 'canonical' ? '@.SP_CANON_VALUE' : '@.SP_VALUE';
  const number = compareNumber(column, test, slots);
  const conditions = [number, ...toUnitRow(test.unit, slots)];
  if (systemId !== undefined) conditions.push({ sql: '@.SYS_ID = ?', slots: [slots.add(systemId)] });
  const sql = conditions.map((condition) => condition.sql).join(' and ');
  return { ...number, sql, slots: conditions.flatMap((condition) => condition.slots) };
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

/** The URL of the system that a test names; undefined where it names none. */
export function unitSystem({ unit }: QuantityTest): string | undefined {
  return unit.kind === 'code' || unit.kind === 'system' ? unit.system : undefined;
}
