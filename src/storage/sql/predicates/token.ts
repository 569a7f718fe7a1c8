import type { TokenListTest, TokenTest } from '../../search-store.js';
import type { SearchDialect } from '../search-dialect.js';
import type { Slots } from '../slots.js';
import { toTextList, type RowTest } from './row-test.js';
import { withSystems, type KnownSystem, type SystemIds } from './system.js';

type Test = TokenTest | TokenListTest;

/** No row has this SYS_ID. */
const NEVER_WRITTEN = -1;

/** The tests that can match: everything is unequal to a token whose system was never written. */
export function withTokenSystems(tests: readonly Test[], systemIds: SystemIds): readonly KnownSystem<Test>[] {
  return tests.flatMap((test) => {
    const known = withSystems([test], ({ system }) => system, systemIds);
    return known.length === 0 && isUnequal(test) ? [{ test, systemId: NEVER_WRITTEN }] : known;
  });
}

/** Whether the test is for every token but one. */
export function isUnequal(test: Test): boolean {
  return 'unequal' in test && test.unequal === true;
}

/** https://hl7.org/fhir/R4/search.html#token: a list, `code`, `|code`, `system|code` and `system|`. */
export function toTokenRow(
  { test, systemId }: KnownSystem<Test>,
  slots: Slots,
  dialect: SearchDialect,
): RowTest {
  const { toKey, inTexts } = dialect;
  if ('values' in test) {
    const list = slots.add(toTextList(test.values, dialect));
    const sql = `${inTexts('@.SP_VALUE')} and @.SYS_ID = ?`;
    return { sql, slots: [list, slots.add(systemId ?? null)], reach: 'range' };
  }
  if (test.unequal) return toUnequalRow({ test, systemId }, slots, dialect);
  if (test.value === undefined) {
    if (systemId === undefined) return { sql: '1 = 1', slots: [], reach: 'scan' };
    return { sql: '@.SYS_ID = ?', slots: [slots.add(systemId)], reach: 'scan' };
  }
  const code = slots.add(toKey(test.value));
  if (systemId === undefined)
    return { sql: '@.SP_VALUE = ?', slots: [code], reach: 'system', openSystem: code };
  return { sql: '@.SP_VALUE = ? and @.SYS_ID = ?', slots: [code, slots.add(systemId)], reach: 'key' };
}

/** Any other code, any other system, or either. */
function toUnequalRow(
  { test: { value }, systemId }: KnownSystem<TokenTest>,
  slots: Slots,
  { toKey }: SearchDialect,
): RowTest {
  const parts = [
    ...(value === undefined ? [] : [{ sql: '@.SP_VALUE <> ?', slot: slots.add(toKey(value)) }]),
    ...(systemId === undefined ? [] : [{ sql: '@.SYS_ID <> ?', slot: slots.add(systemId) }]),
  ];
  const sql = parts.length === 0 ? '1 = 0' : parts.map((part) => part.sql).join(' or ');
  return { sql: `(${sql})`, slots: parts.map(({ slot }) => slot), reach: 'scan' };
}
