import type { SqlValue } from './sql-reader.js';

/** The place of one value among the values of a query: compiled SQL knows slots, never values. */
export type Slot = number;

/** Markers stand for values while knex compiles; far outside of anything else that knex may bind. */
const FIRST_MARKER = 2 ** 40;

/** Several ids: one slot for each, or one for all as a JSON list, where there may be many. */
export type SlotList = readonly Slot[] | { readonly json: Slot };

/** Whether a list has no ids; one that is JSON has some. */
export function isEmpty(list: SlotList): boolean {
  return !('json' in list) && list.length === 0;
}

/** Whether a list is one id. */
export function isSingle(list: SlotList): boolean {
  return !('json' in list) && list.length === 1;
}

/** The values of one query, in the order in which they were met. */
export class Slots {
  readonly values: SqlValue[] = [];

  add(value: SqlValue): Slot {
    return this.values.push(value) - 1;
  }

  addAll(values: readonly SqlValue[]): readonly Slot[] {
    return values.map((value) => this.add(value));
  }

  addJson(values: readonly number[]): SlotList {
    return { json: this.add(JSON.stringify(values)) };
  }
}

/** What knex binds in place of the slots' values. */
export function toMarkers(slots: readonly Slot[]): number[] {
  return slots.map((slot) => FIRST_MARKER + slot);
}

/** The slots behind compiled bindings. A binding that is no marker is a value baked into a cached statement. */
export function toSlots(bindings: readonly unknown[]): readonly Slot[] {
  return bindings.map((binding) => {
    if (typeof binding === 'number' && binding >= FIRST_MARKER) return binding - FIRST_MARKER;
    throw new Error('A search statement was compiled with a value instead of a slot.');
  });
}
