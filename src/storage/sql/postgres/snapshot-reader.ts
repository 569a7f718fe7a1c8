import { NUMBERS_AT_ONCE, type SnapshotReader } from '../snapshot-search.js';
import type { SqlStatement } from '../sql-reader.js';
import type { PgSnapshot } from './connections.js';
import { PostgresReader } from './postgres-reader.js';

/** Reads in a transaction that stays open. */
export class PostgresSnapshotReader extends PostgresReader implements SnapshotReader {
  private cursors = 0;

  constructor(
    private readonly snapshot: PgSnapshot,
    timeoutMs: number,
  ) {
    super(snapshot, timeoutMs);
  }

  /** A cursor, which ends with the transaction where it is given up: https://www.postgresql.org/docs/current/sql-declare.html */
  async *numbers({ sql, bindings, partitions }: SqlStatement): AsyncGenerator<readonly number[]> {
    const cursor = `NUMBERS_${++this.cursors}`;
    const fetch = { text: `fetch ${NUMBERS_AT_ONCE} from ${cursor}`, values: [] };
    let isFirst = true;
    for (;;) {
      const declare = { text: `declare ${cursor} no scroll cursor for ${sql}`, values: bindings };
      const results = await this.snapshot.read(partitions, isFirst ? [declare, fetch] : [fetch]);
      isFirst = false;
      const numbers = (results.at(-1)?.rows ?? []).map(([number]) => number as number);
      if (numbers.length > 0) yield numbers;
      if (numbers.length < NUMBERS_AT_ONCE) break;
    }
    await this.snapshot.read(partitions, [{ text: `close ${cursor}`, values: [] }]);
  }
}
