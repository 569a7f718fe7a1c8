import type { TokenListTest, TokenTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { toTextList, type RowTest } from './row-test.js';
import type { KnownSystem } from './system.js';

/** https://hl7.org/fhir/R4/search.html#token: a list, `code`, `|code`, `system|code` and `system|`. */
export function toTokenRow(
  { test, systemId }: KnownSystem<TokenTest | TokenListTest>,
  slots: Slots,
  dialect: SearchDialect,
): RowTest {
  const { toKey, inTexts } = dialect;
  if ('values' in test) {
    const list = slots.add(toTextList(test.values, dialect));
    const sql = `${inTexts('@.SP_VALUE')} and @.SYS_ID = ?`;
    return { sql, slots: [list, slots.add(systemId ?? null)], reach: 'range' };
  }
  if (test.value === undefined) {
    if (systemId === undefined) return { sql: '1 = 1', slots: [], reach: 'scan' };
    return { sql: '@.SYS_ID = ?', slots: [slots.add(systemId)], reach: 'scan' };
  }
  const code = slots.add(toKey(test.value));
  if (systemId === undefined)
    return { sql: '@.SP_VALUE = ?', slots: [code], reach: 'system', openSystem: code };
  return { sql: '@.SP_VALUE = ? and @.SYS_ID = ?', slots: [code, slots.add(systemId)], reach: 'key' };
}
