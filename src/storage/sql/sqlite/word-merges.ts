import type { PartitionId } from '../../../model/partition.js';
import type { SqliteDatabase } from './open.js';
import { purgeSome } from './purge.js';

/** Pages of the index that one transaction merges: writers wait a few milliseconds at most. */
const PAGES = 16;

/**
 * Of words that are deleted FTS5 only notes that they are, until it merges what they stand in. So that nothing is left of
 * a partition, all of the index is merged behind its last row, some pages at a time: https://www.sqlite.org/fts5.html#the_merge_command.
 * Which partitions are done is known until the end of the process; then they are merged once more.
 */
export class WordMerges {
  private readonly states = new Map<PartitionId, 'under way' | 'done'>();

  /** As `purgeSome`; more than zero, too, while there is more to merge. */
  purgeSome(db: SqliteDatabase, partition: PartitionId, how: Parameters<typeof purgeSome>[2]): number {
    const purged = purgeSome(db, partition, how);
    if (purged > 0) {
      this.states.delete(partition);
      return purged;
    }
    return this.mergeSome(db, partition);
  }

  private mergeSome(db: SqliteDatabase, partition: PartitionId): number {
    const state = this.states.get(partition);
    if (state === 'done') return 0;
    const changes = db.prepare('select total_changes()').pluck();
    const before = changes.get() as number;
    // A negative number takes everything that there is together; only then a positive one goes on with it.
    const pages = state === undefined ? -PAGES : PAGES;
    db.prepare(`insert into HFJ_FULLTEXT_WORDS (HFJ_FULLTEXT_WORDS, rank) values ('merge', ?)`).run(pages);
    // The command itself counts as one.
    const isDone = (changes.get() as number) - before < 2;
    this.states.set(partition, isDone ? 'done' : 'under way');
    return isDone ? 0 : 1;
  }
}
