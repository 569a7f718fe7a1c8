import { LRUCache } from 'lru-cache';
import type { SqlStatement } from './sql-reader.js';

/** Rows that are counted within a millisecond. */
const SHORT = 10_000;
const MOST_REMEMBERED = 2_000;
/** What was short so long ago may have grown. In milliseconds. */
const REMEMBERED_MS = 60_000;

/** Which counts were short a moment ago, by the statement that begins them: to leave the thread would take longer. */
export class ShortCounts {
  private readonly known = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });

  has(first: SqlStatement): boolean {
    return this.known.size > 0 && this.known.has(keyOf(first));
  }

  note(first: SqlStatement, counted: number): void {
    if (counted < SHORT) this.known.set(keyOf(first), true);
    else this.known.delete(keyOf(first));
  }
}

function keyOf({ sql, bindings }: SqlStatement): string {
  return JSON.stringify([sql, bindings]);
}
