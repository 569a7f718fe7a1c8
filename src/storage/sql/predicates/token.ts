import type { TokenTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';
import type { KnownSystem } from './system.js';

/** https://hl7.org/fhir/R4/search.html#token: `code`, `|code`, `system|code` and `system|`. */
export function toTokenRow(
  { test, systemId }: KnownSystem<TokenTest>,
  slots: Slots,
  { toKey }: SearchDialect,
): RowTest {
  if (test.value === undefined) {
    if (systemId === undefined) return { sql: '1 = 1', slots: [], reach: 'scan' };
    return { sql: '@.SYS_ID = ?', slots: [slots.add(systemId)], reach: 'scan' };
  }
  const code = slots.add(toKey(test.value));
  if (systemId === undefined)
    return { sql: '@.SP_VALUE = ?', slots: [code], reach: 'system', openSystem: code };
  return { sql: '@.SP_VALUE = ? and @.SYS_ID = ?', slots: [code, slots.add(systemId)], reach: 'key' };
}
