import type { NewNames } from '../row-names.js';
import type { SqliteDatabase } from './open.js';
import type { SqliteDictionary } from './sqlite-dictionary.js';

/** Row ids that are taken from the main database at once. */
const BLOCK = 1_000;

const TAKE = `update HFJ_SETTING set SETTING_VALUE = cast(cast(SETTING_VALUE as integer) + ? as text)
  where SETTING_KEY = 'next-row-id' returning cast(SETTING_VALUE as integer)`;

/** Runs work on the main database's writer, in a transaction that ends with it. */
export type MainTransaction = <Result>(work: (db: SqliteDatabase) => Result) => Promise<Result>;

/**
 * Gives out what must be unique over all homes of an installation: row ids, and ids of names. Both are committed to
 * the main database before rows that use them are written anywhere.
 */
export class Allocator {
  private next = 0;
  private end = 0;
  private renewals = 0;

  constructor(
    private readonly dictionary: SqliteDictionary,
    private readonly run: MainTransaction,
  ) {}

  /** Takes `count` row ids in a row; answers the first. What is not used is lost, which does no harm. */
  async takeRowIds(count: number): Promise<number> {
    // Others may take ids while the block comes.
    while (this.end - this.next < count) {
      const size = Math.max(BLOCK, count);
      const { renewals } = this;
      const end = await this.run((db) => db.prepare(TAKE).pluck().get(size) as number);
      if (renewals === this.renewals) [this.next, this.end] = [end - size, end];
    }
    const first = this.next;
    this.next += count;
    return first;
  }

  /** Every row id from now on is greater than all that any home was given before. */
  renewRowIds(): void {
    this.renewals++;
    [this.next, this.end] = [0, 0];
  }

  /** Makes the names known; answers the ids of the systems. */
  async addNames(names: NewNames): Promise<ReadonlyMap<string, number>> {
    await this.run(() => this.dictionary.insert(names));
    this.dictionary.reload();
    return this.dictionary.findSystems([...names.systems]);
  }
}
