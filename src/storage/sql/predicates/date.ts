import type { RangeComparison, RangeTest, RangeTests } from '../../search-store.js';
import type { Slot, Slots } from '../slots.js';
import type { RowTest, SoughtTest } from './row-test.js';

interface Comparing {
  /** `<` and `>` stand for the slots of the searched range's low and high end. */
  readonly sql: string;
  readonly reach: RowTest['reach'];
}

/** How the row's range lies to the searched one, https://hl7.org/fhir/R4/search.html#prefix. */
const ROW: Readonly<Record<RangeComparison, Comparing>> = {
  eq: { sql: '@.SP_LOW >= :low and @.SP_LOW <= :high and @.SP_HIGH <= :high', reach: 'range' },
  ne: { sql: '(@.SP_LOW < :low or @.SP_HIGH > :high)', reach: 'scan' },
  gt: { sql: '@.SP_HIGH > :high', reach: 'scan' },
  lt: { sql: '@.SP_LOW < :low', reach: 'range' },
  ge: { sql: '(@.SP_LOW >= :low or @.SP_HIGH > :high)', reach: 'scan' },
  le: { sql: '@.SP_LOW <= :high and (@.SP_LOW < :low or @.SP_HIGH <= :high)', reach: 'range' },
  sa: { sql: '@.SP_LOW > :high', reach: 'range' },
  eb: { sql: '@.SP_LOW < :low and @.SP_HIGH < :low', reach: 'range' },
  ap: { sql: '@.SP_LOW <= :high and @.SP_HIGH >= :low', reach: 'range' },
  co: { sql: '@.SP_LOW <= :low and @.SP_HIGH >= :high', reach: 'range' },
};

/** The same for the moment at which a resource was written: both ends are one. */
const MOMENT: Readonly<Record<RangeComparison, string>> = {
  eq: '@.RES_UPDATED >= :low and @.RES_UPDATED <= :high',
  ne: '(@.RES_UPDATED < :low or @.RES_UPDATED > :high)',
  gt: '@.RES_UPDATED > :high',
  lt: '@.RES_UPDATED < :low',
  ge: '@.RES_UPDATED >= :low',
  le: '@.RES_UPDATED <= :high',
  sa: '@.RES_UPDATED > :high',
  eb: '@.RES_UPDATED < :low',
  ap: '@.RES_UPDATED >= :low and @.RES_UPDATED <= :high',
  co: '@.RES_UPDATED <= :low and @.RES_UPDATED >= :high',
};

/** What a comparison says of one end of the row: which end of the searched range it has to lie beyond. */
type Ends = Readonly<Partial<Record<RangeComparison, 'low' | 'high'>>>;

/** The row ends at this, or later. */
const ENDS_AFTER: Ends = { gt: 'high', ge: 'low', ap: 'low', co: 'high' };
/** The row begins at this, or earlier. */
const BEGINS_BEFORE: Ends = { lt: 'low', le: 'high', ap: 'high', co: 'low' };
/** These say where a row begins, which the key of the table leads to. */
const BEGINS: ReadonlySet<RangeComparison> = new Set<RangeComparison>(['eq', 'sa']);

/** Ranges that are longer than a day, in milliseconds, stand in an index of their own (migration 0010): they are few. */
const DAY_MS = 86_400_000;
const IS_LONG = `@.SP_HIGH - @.SP_LOW > ${DAY_MS}`;

/** https://hl7.org/fhir/R4/search.html#date */
export function toDateRow(test: RangeTest | RangeTests, slots: Slots): RowTest {
  const every = 'every' in test ? test.every : [test];
  const row = 'every' in test ? toJoinedRow(every, slots) : toOneRow(test, slots);
  const sought = soughtTests(every, row, slots);
  return sought === undefined ? row : { ...row, sought };
}

function toOneRow(test: RangeTest, slots: Slots): RowTest {
  const { sql, reach } = ROW[test.comparison];
  return { ...bound(sql, test, slots), reach };
}

/**
 * The key of the table is ordered by where ranges begin. Rows that end after a moment are found by the index of ends;
 * rows that also begin before another one are, as far as they are short, those that begin at most a day earlier.
 */
function soughtTests(
  every: readonly RangeTest[],
  row: RowTest,
  slots: Slots,
): readonly SoughtTest[] | undefined {
  const after = every.find(({ comparison }) => ENDS_AFTER[comparison]);
  if (after === undefined || every.some(({ comparison }) => BEGINS.has(comparison))) return undefined;
  const moment = slots.add(after[ENDS_AFTER[after.comparison]!]);
  const test = `(${row.sql})`;
  if (!every.some(({ comparison }) => BEGINS_BEFORE[comparison]))
    return [{ sql: `@.RES_ID > 0 and @.SP_HIGH >= ? and ${test}`, slots: [moment, ...row.slots] }];
  const begins = `@.SP_LOW >= cast(? as bigint) - ${DAY_MS}`;
  return [
    { sql: `${begins} and ${test}`, slots: [moment, ...row.slots] },
    { sql: `${IS_LONG} and ${test}`, slots: row.slots },
  ];
}

/** The narrowest part leads through the key. */
function toJoinedRow(every: readonly RangeTest[], slots: Slots): RowTest {
  const rows = every.map((test) => toOneRow(test, slots));
  return {
    sql: rows.map(({ sql }) => `(${sql})`).join(' and '),
    slots: rows.flatMap((row) => row.slots),
    reach: rows.some(({ reach }) => reach === 'range') ? 'range' : 'scan',
  };
}

/** `_lastUpdated`, on a row of HFJ_RESOURCE. */
export function toMomentRow(test: RangeTest, slots: Slots): RowTest {
  return { ...bound(MOMENT[test.comparison], test, slots), reach: 'range' };
}

function bound(sql: string, test: RangeTest, slots: Slots): { sql: string; slots: readonly Slot[] } {
  const ends = { ':low': slots.add(test.low), ':high': slots.add(test.high) };
  const used = [...sql.matchAll(/:low|:high/g)].map(([name]) => ends[name as keyof typeof ends]);
  return { sql: sql.replaceAll(/:low|:high/g, '?'), slots: used };
}
