import type { PostgresConnections } from './connections.js';
import { WRITE_SQL } from './write-sql.js';

/** What the sequence steps by. */
const BLOCK = 1_000;

/** Row ids, unique over all homes of an installation: blocks of them come from the main database. */
export class RowIdBlocks {
  private next = 0;
  private end = 0;

  constructor(private readonly main: PostgresConnections) {}

  /** As many ids as are asked for. */
  async take(count: number): Promise<readonly number[]> {
    const ids: number[] = [];
    while (ids.length < count) {
      if (this.next === this.end) await this.fetch();
      while (ids.length < count && this.next < this.end) ids.push(this.next++);
    }
    return ids;
  }

  private async fetch(): Promise<void> {
    const [result] = await this.main.read('none', [
      { name: 'row ids', text: WRITE_SQL.takeRowIds, values: [] },
    ]);
    this.next = result?.rows[0]?.[0] as number;
    this.end = this.next + BLOCK;
  }
}
