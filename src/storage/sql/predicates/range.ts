import type { Comparison, NumberTest } from '../../search-store.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

type Bound = 'value' | 'low' | 'high';

interface Comparing {
  /** `@` low and `^` high end of the row; `:name` the numbers of the test. */
  readonly sql: string;
  readonly reach: RowTest['reach'];
}

/** How the row's range lies to the searched number, https://hl7.org/fhir/R4/search.html#prefix. */
const RANGE: Readonly<Record<Comparison, Comparing>> = {
  eq: { sql: '@ >= :low and @ < :high and ^ < :high', reach: 'range' },
  ne: { sql: '(@ < :low or ^ >= :high)', reach: 'scan' },
  gt: { sql: '^ > :value', reach: 'scan' },
  lt: { sql: '@ < :value', reach: 'range' },
  ge: { sql: '^ >= :value', reach: 'scan' },
  le: { sql: '@ <= :value', reach: 'range' },
  sa: { sql: '@ > :value', reach: 'range' },
  eb: { sql: '@ < :value and ^ < :value', reach: 'range' },
  ap: { sql: '@ <= :high and ^ >= :low', reach: 'range' },
};

/** Compares a row that holds a range: its low end is the value, its high end the canonical value. */
export function compareRange(test: NumberTest, slots: Slots): RowTest {
  const { sql, reach } = RANGE[test.comparison];
  const used = [...sql.matchAll(/:(value|low|high)/g)].map(([, name]) => slots.add(test[name as Bound]));
  const columns = sql.replaceAll('@', '@.SP_VALUE').replaceAll('^', '@.SP_CANON_VALUE');
  return { sql: columns.replaceAll(/:(?:value|low|high)/g, '?'), slots: used, reach };
}
