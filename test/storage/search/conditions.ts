import type {
  ChainCondition,
  ComponentCondition,
  Condition,
  ContainedCondition,
  HasCondition,
  IndexCondition,
  NumberTest,
  QuantityTest,
  RangeTest,
  RangeTests,
  ReferenceTest,
  SearchPlan,
  SortKey,
  StringTest,
  TokenListTest,
  TokenTest,
} from '../../../src/storage/search-store.js';

/** Short ways to write plans in tests. */
export const all = (...of: Condition[]): Condition => ({ kind: 'all', of });
export const any = (...of: Condition[]): Condition => ({ kind: 'any', of });
export const not = (of: Condition): Condition => ({ kind: 'not', of });
export const ids = (...list: string[]): Condition => ({ kind: 'ids', ids: list });
export const updated = (test: RangeTest): Condition => ({ kind: 'updated', test });

export const token = (
  type: string,
  path: string,
  ...tests: (TokenTest | TokenListTest)[]
): IndexCondition => ({
  kind: 'index',
  index: 'token',
  type,
  paths: [path],
  tests,
});
export const text = (type: string, path: string, ...tests: StringTest[]): IndexCondition => ({
  kind: 'index',
  index: 'string',
  type,
  paths: [path],
  tests,
});
export const date = (type: string, path: string, ...tests: (RangeTest | RangeTests)[]): IndexCondition => ({
  kind: 'index',
  index: 'date',
  type,
  paths: [path],
  tests,
});
/** From one moment on, and before another one. */
export const during = (from: number, before: number): RangeTests => ({
  every: [
    { comparison: 'ge', low: from, high: from },
    { comparison: 'lt', low: before, high: before },
  ],
});
export const number = (type: string, path: string, ...tests: NumberTest[]): IndexCondition => ({
  kind: 'index',
  index: 'number',
  type,
  paths: [path],
  tests,
});
export const quantity = (type: string, path: string, ...tests: QuantityTest[]): IndexCondition => ({
  kind: 'index',
  index: 'quantity',
  type,
  paths: [path],
  tests,
});
export const uri = (type: string, path: string, value: string): IndexCondition => ({
  kind: 'index',
  index: 'uri',
  type,
  paths: [path],
  tests: [{ value }],
});
export const reference = (type: string, path: string, ...tests: ReferenceTest[]): IndexCondition => ({
  kind: 'index',
  index: 'reference',
  type,
  paths: [path],
  targetFilter: null,
  tests,
});
export const present = (condition: IndexCondition): IndexCondition => ({ ...condition, tests: null });
export const chain = (type: string, path: string, target: string, where: Condition): ChainCondition => ({
  kind: 'chain',
  type,
  paths: [path],
  targets: [{ type: target, where }],
});
export const has = (type: string, path: string, where: Condition): HasCondition => ({
  kind: 'has',
  type,
  paths: [path],
  where,
});

/** `via`: the type and path of a reference to it. */
export const contained = (
  type: string,
  where: Condition,
  via?: readonly [type: string, path: string],
): ContainedCondition => ({
  kind: 'contained',
  type,
  via: via === undefined ? null : [{ type: via[0], paths: [via[1]] }],
  where,
});

export const code = (value: string | undefined, system?: string | null): TokenTest => ({ system, value });
export const prefix = (normalized: string): StringTest => ({ match: 'prefix', normalized });
export const local = (id: string, ...types: string[]): ReferenceTest => ({ kind: 'local', types, id });
export const plan = (type: SearchPlan['type'], where: Condition, ...sort: SortKey[]): SearchPlan => ({
  type,
  where,
  sort,
});

/** One element passes all parts, of which each is a list of alternatives. */
export const element = (...parts: IndexCondition[][]): Condition => ({
  kind: 'element',
  parts: parts.map((part) => part.filter((one): one is ComponentCondition => one.index !== 'reference')),
});

/** More than 990 mg. */
export const heavier = (path: string): IndexCondition =>
  quantity('Observation', path, {
    comparison: 'gt',
    value: 990,
    low: 989.5,
    high: 990.5,
    unit: { kind: 'code', system: 'urn:units', code: 'mg' },
  });
