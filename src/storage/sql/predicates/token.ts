import type { TokenTest } from '../../search-store.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** SQL condition: the row's system is the one with the URL that is bound; an unknown URL matches nothing. */
export const SYSTEM_IS = '@.SYS_ID = (select SYS_ID from HFJ_SYSTEM where SYS_URL = ?)';

/** https://hl7.org/fhir/R4/search.html#token: `code`, `|code`, `system|code` and `system|`. */
export function toTokenRow(test: TokenTest, slots: Slots): RowTest {
  const { system, value } = test;
  if (value === undefined) return toSystemRow(system, slots);
  const code = slots.add(value);
  if (system === undefined)
    return { sql: '@.SP_VALUE = ?', slots: [code], reach: 'system', openSystem: code };
  if (system === null) return { sql: '@.SP_VALUE = ? and @.SYS_ID = 0', slots: [code], reach: 'key' };
  return { sql: `@.SP_VALUE = ? and ${SYSTEM_IS}`, slots: [code, slots.add(system)], reach: 'key' };
}

function toSystemRow(system: string | null | undefined, slots: Slots): RowTest {
  if (typeof system === 'string') return { sql: SYSTEM_IS, slots: [slots.add(system)], reach: 'scan' };
  return { sql: system === null ? '@.SYS_ID = 0' : '1 = 1', slots: [], reach: 'scan' };
}
