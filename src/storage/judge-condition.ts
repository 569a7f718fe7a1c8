import type {
  DateValue,
  IndexValues,
  ReferenceValue,
  StringValue,
  TokenValue,
} from '../fhir/index-values.js';
import { WORD_BREAKS } from '../fhir/normalize.js';
import type {
  Condition,
  IndexCondition,
  RangeTest,
  RangeTests,
  ReferenceTest,
  StringTest,
  TokenListTest,
  TokenTest,
  UriTest,
} from './search-store.js';

/** A version of a resource that is not, or not any more, in the index. */
export interface JudgedVersion {
  readonly type: string;
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly updated: number;
  readonly index: IndexValues;
}

/** Undefined: it can't be told without the database. */
type Verdict = boolean | undefined;

/**
 * Whether a condition holds for a version that no search would find, by the same rules as the database's. Undefined for
 * what needs other resources, or rows that are not compared here.
 */
export function judgeCondition(condition: Condition, version: JudgedVersion): Verdict {
  switch (condition.kind) {
    case 'all':
      return every(condition.of.map((part) => judgeCondition(part, version)));
    case 'any':
      return some(condition.of.map((part) => judgeCondition(part, version)));
    case 'not':
      return negated(judgeCondition(condition.of, version));
    case 'ids':
      return condition.ids.includes(version.id);
    case 'types':
      return condition.types.includes(version.type);
    case 'updated':
      return isInRange(condition.test, { low: version.updated, high: version.updated });
    case 'index':
      return judgeRows(condition, version);
    case 'element':
    case 'contained':
    case 'chain':
    case 'has':
      return undefined;
  }
}

function every(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(undefined) ? undefined : true;
}

function some(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(true)) return true;
  return verdicts.includes(undefined) ? undefined : false;
}

function negated(verdict: Verdict): Verdict {
  return verdict === undefined ? undefined : !verdict;
}

function judgeRows(condition: IndexCondition, { type, index }: JudgedVersion): Verdict {
  const places = [condition, ...(condition.others ?? [])].filter((place) => place.type === type);
  const paths = new Set(places.flatMap((place) => place.paths));
  const on = <Row extends { readonly path: string }>(rows: readonly Row[]): readonly Row[] =>
    rows.filter(({ path }) => paths.has(path));
  switch (condition.index) {
    case 'token':
      return passes(on(index.tokens), condition.tests, isToken);
    case 'string':
      return passes(on(index.strings), condition.tests, isString);
    case 'date':
      return passes(on(index.dates), condition.tests, isDate);
    case 'uri':
      return passes(on(index.uris), condition.tests, isUri);
    case 'reference': {
      const { targetFilter, tests } = condition;
      const rows = on(index.references);
      if (targetFilter === null) return passes(rows, tests, isReference);
      // Which type a URL means can't be told of it.
      if (tests === null && rows.some((row) => row.type === null)) return undefined;
      return passes(
        rows.filter((row) => row.type === null || row.type === targetFilter),
        tests,
        isReference,
      );
    }
    case 'number':
    case 'quantity':
    case 'text':
      return undefined;
  }
}

function passes<Row, Test>(
  rows: readonly Row[],
  tests: readonly Test[] | null,
  isPassed: (test: Test, row: Row) => Verdict,
): Verdict {
  if (tests === null) return rows.length > 0;
  return some(tests.flatMap((test) => rows.map((row) => isPassed(test, row))));
}

function isToken(test: TokenTest | TokenListTest, { system, value }: TokenValue): boolean {
  if ('values' in test) return system === test.system && test.values.includes(value);
  if (test.unequal)
    return (
      (test.value !== undefined && value !== test.value) ||
      (test.system !== undefined && system !== test.system)
    );
  return (
    (test.system === undefined || system === test.system) &&
    (test.value === undefined || value === test.value)
  );
}

function isString(test: StringTest, { normalized, exact }: StringValue): Verdict {
  switch (test.match) {
    case 'words': {
      const spaced = WORD_BREAKS.reduce((text, mark) => text.replaceAll(mark, ' '), ` ${normalized}`);
      return test.words.every((word) => spaced.includes(` ${word}`));
    }
    case 'prefix':
      return normalized.startsWith(test.normalized);
    case 'suffix':
      return normalized.endsWith(test.normalized);
    case 'contains':
      return normalized.includes(test.normalized);
    case 'exact':
      return normalized === test.normalized && exact === test.exact;
    case 'eq':
      return normalized === test.normalized;
    case 'ne':
      return normalized !== test.normalized;
    case 'gt':
    case 'lt':
    case 'ge':
    case 'le':
      // The database orders code points.
      return undefined;
  }
}

function isDate(test: RangeTest | RangeTests, row: DateValue): boolean {
  return 'every' in test ? test.every.every((one) => isInRange(one, row)) : isInRange(test, row);
}

/** https://hl7.org/fhir/R4/search.html#prefix */
function isInRange(
  { comparison, low, high }: RangeTest,
  row: { readonly low: number; readonly high: number },
): boolean {
  switch (comparison) {
    case 'eq':
      return row.low >= low && row.low <= high && row.high <= high;
    case 'ne':
      return row.low < low || row.high > high;
    case 'gt':
      return row.high > high;
    case 'lt':
      return row.low < low;
    case 'ge':
      return row.low >= low || row.high > high;
    case 'le':
      return row.low <= high && (row.low < low || row.high <= high);
    case 'sa':
      return row.low > high;
    case 'eb':
      return row.low < low && row.high < low;
    case 'ap':
      return row.low <= high && row.high >= low;
    case 'co':
      return row.low <= low && row.high >= high;
  }
}

function isUri(test: UriTest, { value }: { readonly value: string }): Verdict {
  if ('value' in test) return value === test.value;
  if ('unequal' in test) return value !== test.unequal;
  if ('values' in test) return test.values.includes(value);
  return (
    value === test.below || (value.startsWith(test.below) && '/#|'.includes(value[test.below.length] ?? ' '))
  );
}

function isReference(test: ReferenceTest, { type, id, url }: ReferenceValue): Verdict {
  switch (test.kind) {
    case 'local':
      return id === test.id && type !== null && (test.types.length === 0 || test.types.includes(type));
    case 'url':
      return url === test.url || (test.anyVersion && (url?.startsWith(`${test.url}|`) ?? false));
    case 'urls':
      return url !== null && test.urls.includes(url);
    case 'urlPrefix':
      return url?.startsWith(test.prefix) ?? false;
    case 'rows':
      return undefined;
  }
}
