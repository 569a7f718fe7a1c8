import type { SearchDialect } from '../search-dialect.js';
import type { Slot, SlotList } from '../slots.js';

/**
 * One test on a row of an index table, without values. In `sql` the row's alias is written `@` and each `?` is a
 * slot of `slots`, in order.
 */
export interface RowTest {
  readonly sql: string;
  readonly slots: readonly Slot[];
  readonly reach: Reach;
  /** The row's target must be this resource. */
  readonly target?: TargetTest;
  /** A token whose system is open: the code. */
  readonly openSystem?: Slot;
  /** Tests that together let the same rows pass, each of which leads to them along an index of its own. */
  readonly sought?: readonly SoughtTest[];
}

/** One way to rows that pass a test. */
export type SoughtTest = Pick<RowTest, 'sql' | 'slots'>;

/**
 * How the test goes through the table's key. `key`: everything before RES_ID is fixed, so a resource has at most
 * one row, rows come in the order of RES_ID, and one resource's row is one seek away. `system`: everything but
 * the system is fixed. `range`: a part of the index. `scan`: every row of the path.
 */
export type Reach = 'key' | 'system' | 'range' | 'scan';

/** Sorts after every text that goes on with something, in the order of UTF-8 bytes. */
export const AFTER_ALL = '\u{10FFFF}';

/** Keys as the JSON list of `SearchDialect.inTexts`. */
export function toTextList(texts: readonly string[], { toKey }: SearchDialect): string {
  return JSON.stringify(texts.map((text) => toKey(toStored(text))));
}

/** In JSON these are escapes that databases refuse; nothing that is stored has them. */
function toStored(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** A resource by id, of one of the types. */
export interface TargetTest {
  readonly types: SlotList;
  readonly id: Slot;
}
