import type { Condition, IndexCondition } from '../search-store.js';
import type { Dictionary } from './dictionary.js';
import { linkMark, typeMark, urlMark, valueMark } from './param-sets.js';
import type { SearchDialect } from './search-dialect.js';
import type { Slot, Slots } from './slots.js';

/** A condition on a row of HFJ_RES_PARAMS, of alias `@`. */
export interface SetTest {
  readonly sql: string;
  readonly slots: readonly Slot[];
}

/** What the set of a resource's paths tells of a condition. */
export interface TellingSets {
  /** Sets of resources for which it may hold; for all others it does not. */
  readonly may: SetTest;
  /** Sets of resources for which it does hold. */
  readonly has: SetTest;
}

/** What conditions on sets are made with. */
export interface SetParts {
  readonly slots: Slots;
  readonly dialect: SearchDialect;
  readonly dictionary: Dictionary;
  /** PARAM_IDs of the paths that were ever written. */
  readonly paramIds: (condition: IndexCondition) => readonly number[];
}

/** More paths than these are too many marks to look for, and too many different statements. */
const MOST_PATHS = 8;

/** What sets tell of whether there are rows; undefined where they do not tell of it, as of rows with certain values. */
export function tellingSets(condition: Condition, parts: SetParts): TellingSets | undefined {
  switch (condition.kind) {
    case 'index':
      return condition.tests === null ? tellingOfRows(condition, parts) : undefined;
    case 'any':
      return combined(condition.of, parts, (tests) => joined(tests, 'or'));
    case 'all':
      return combined(condition.of, parts, (tests) => joined(tests, 'and'));
    default:
      return undefined;
  }
}

function combined(
  of: readonly Condition[],
  parts: SetParts,
  join: (tests: readonly SetTest[]) => SetTest,
): TellingSets | undefined {
  const sets = of.map((one) => tellingSets(one, parts));
  if (sets.length === 0 || !sets.every((one) => one !== undefined)) return undefined;
  return { may: join(sets.map(({ may }) => may)), has: join(sets.map(({ has }) => has)) };
}

function tellingOfRows(condition: IndexCondition, parts: SetParts): TellingSets | undefined {
  const ids = parts.paramIds(condition);
  if (ids.length > MOST_PATHS || condition.index === 'text') return undefined;
  const holding = (marks: readonly string[]): SetTest => holdingOne(marks, parts);
  if (condition.index !== 'reference') {
    const has = holding(ids.map(valueMark));
    return { may: has, has };
  }
  if (condition.targetFilter === null) {
    const has = holding(ids.map(linkMark));
    return { may: has, has };
  }
  const type = parts.dictionary.typeId(condition.targetFilter);
  const has = holding(type === undefined ? [] : ids.map((id) => typeMark(id, type)));
  // What a URL leads to stands in the link.
  return { may: joined([has, holding(ids.map(urlMark))], 'or'), has };
}

/** The text of the set has one of the marks. */
function holdingOne(marks: readonly string[], { slots, dialect }: SetParts): SetTest {
  return joined(
    marks.map((mark) => ({ sql: dialect.contains('@.SP_PARAMS'), slots: [slots.add(mark)] })),
    'or',
  );
}

/** None of nothing holds; "and" always has parts. */
function joined(tests: readonly SetTest[], by: 'and' | 'or'): SetTest {
  if (tests.length === 0) return { sql: '1 = 0', slots: [] };
  return {
    sql: `(${tests.map(({ sql }) => sql).join(` ${by} `)})`,
    slots: tests.flatMap(({ slots }) => slots),
  };
}
