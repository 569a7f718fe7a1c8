import { LRUCache } from 'lru-cache';
import type { SqlStatement } from './sql-reader.js';

/** Rows that are counted within a millisecond. */
const SHORT = 10_000;
const MOST_REMEMBERED = 2_000;
/** What was short so long ago may have grown. In milliseconds. */
const REMEMBERED_MS = 60_000;

/** Knows which counts were short a moment ago: to leave the thread would take longer than to count again. */
export class ShortCounts {
  private readonly known = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });

  /** The statement, to be run at once where it was short. */
  asKnown(statement: SqlStatement): SqlStatement {
    return this.known.has(keyOf(statement)) ? { ...statement, cost: 'cheap' } : statement;
  }

  /** Only what has one plan looks at nothing but what it counts. */
  note(statement: SqlStatement, counted: number): void {
    if (statement.plan !== 'fixed') return;
    if (counted < SHORT) this.known.set(keyOf(statement), true);
    else this.known.delete(keyOf(statement));
  }
}

function keyOf({ sql, bindings }: SqlStatement): string {
  return JSON.stringify([sql, bindings]);
}
