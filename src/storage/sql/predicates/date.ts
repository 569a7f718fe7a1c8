import type { RangeComparison, RangeTest, RangeTests } from '../../search-store.js';
import type { Slot, Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

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

/** https://hl7.org/fhir/R4/search.html#date */
export function toDateRow(test: RangeTest | RangeTests, slots: Slots): RowTest {
  if ('every' in test) return toJoinedRow(test.every, slots);
  const { sql, reach } = ROW[test.comparison];
  return { ...bound(sql, test, slots), reach };
}

/** The narrowest part leads through the key. */
function toJoinedRow(every: readonly RangeTest[], slots: Slots): RowTest {
  const rows = every.map((test) => toDateRow(test, slots));
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
