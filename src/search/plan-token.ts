import type { TokenListTest, TokenTest } from '../storage/search-store.js';
import type { SearchValue } from './search-request.js';

type AskedToken = Extract<SearchValue, { kind: 'token' }>;
type Test = TokenTest | TokenListTest;

/** More codes of one system than this are asked for as a list: one test, whose statement is the same for any number. */
const MOST_TESTS = 8;

/** What the values ask of token rows. @throws Error for codes that were not looked up, see resolveSearch */
export function toTokenTests(values: readonly SearchValue[]): readonly Test[] {
  if (values.length <= MOST_TESTS) return values.flatMap(toTest);
  const bySystem = Map.groupBy(values, (value) => (isCode(value) ? value.system : undefined));
  return [...bySystem].flatMap(([system, same]) => {
    const codes = same.filter(isCode).map((value) => value.code);
    return system === undefined || codes.length <= MOST_TESTS
      ? same.flatMap(toTest)
      : [{ system, values: [...new Set(codes)] }];
  });
}

/** Whether the value is a code of one system, or one without a system. */
function isCode(
  value: SearchValue,
): value is AskedToken & { readonly system: string | null; readonly code: string } {
  return value.kind === 'token' && !value.unequal && value.system !== undefined && value.code !== undefined;
}

function toTest(value: SearchValue): readonly Test[] {
  if (value.kind === 'value-set' || value.kind === 'related') throw new Error('The search is not resolved.');
  if (value.kind === 'token-list') return [{ system: value.system, values: value.codes }];
  if (value.kind !== 'token') return [];
  const { system, code, unequal } = value;
  return [unequal ? { system, value: code, unequal } : { system, value: code }];
}
