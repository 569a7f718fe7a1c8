import type { PartitionId } from '../../../model/partition.js';
import { toStoredDate } from '../../partition-date.js';
import type {
  AddedRows,
  Arrival,
  ChunkKey,
  HomeCopies,
  HomeRows,
  HomeUsage,
  MovedCounts,
  RawRow,
  Reindexed,
  ResourceRows,
  RetainedRows,
  ServiceState,
} from '../../placement/home.js';
import type { PartitionContents } from '../../store.js';
import type { Dictionary } from '../dictionary.js';
import { type RowRead, RowReads } from '../row-reads.js';
import type { SqlReader } from '../sql-reader.js';
import type { ArrivalWriter } from './arrival-writer.js';
import type { SqliteDatabase } from './open.js';
import { countContents } from './purge.js';
import { MOVE_SQL } from './move-sql.js';
import type { ReindexWriter } from './reindex-writer.js';
import { countDangling, retain } from './retain.js';
import { WordMerges } from './word-merges.js';
import type { WriteQueue } from './write-queue.js';

/** Rows of partitions in one SQLite file: reads on the read connection, writes through the queue. */
export class SqliteRows extends RowReads implements HomeRows {
  private readonly merges = new WordMerges();

  constructor(
    private readonly db: SqliteDatabase,
    private readonly parts: {
      readonly queue: WriteQueue;
      readonly dictionary: Dictionary;
      readonly arrivals: ArrivalWriter;
      readonly reindex: ReindexWriter;
      readonly reader: SqlReader;
      readonly copies: HomeCopies;
      readonly usage: HomeUsage;
    },
  ) {
    super(parts.dictionary);
  }

  get copies(): HomeCopies {
    return this.parts.copies;
  }

  get usage(): HomeUsage {
    return this.parts.usage;
  }

  async contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents(this.db, partition);
  }

  purgeSome(partition: PartitionId, limit: number): Promise<number> {
    return this.parts.queue.transaction((db) => this.merges.purgeSome(db, partition, { limit }));
  }

  drainSome(partition: PartitionId, limit: number): Promise<number> {
    return this.parts.queue.transaction((db) =>
      this.merges.purgeSome(db, partition, { limit, keep: 'what stays' }),
    );
  }

  async *retain(partition: PartitionId, date: string, limit: number): AsyncIterable<RetainedRows> {
    const { dictionary, queue } = this.parts;
    await dictionary.catchUp();
    const binaryType = dictionary.typeId('Binary') ?? -1;
    yield* retain(queue, { partition, before: toStoredDate(date) ?? 0, binaryType }, limit);
  }

  async danglingLinks(partition: PartitionId): Promise<number> {
    return countDangling(this.db, partition);
  }

  setState(partition: PartitionId, state: ServiceState): Promise<void> {
    return this.parts.queue.transaction((db) => {
      db.prepare(MOVE_SQL.setState).run(partition, `#${partition}`, state);
    });
  }

  async typeIds(): Promise<readonly number[]> {
    return this.parts.dictionary.typeIds();
  }

  async types(): Promise<readonly string[]> {
    await this.parts.dictionary.catchUp();
    return this.parts.dictionary.knownTypes();
  }

  async resources(partition: PartitionId, rowIds: readonly number[]): Promise<readonly ResourceRows[]> {
    const values = [partition, this.listOf(rowIds)];
    // Links and claims are never older than the resource: if they are newer, so will be its version.
    const resources = this.rowsOf('resources', values);
    const links = this.rowsOf('links', values);
    return this.toResourceRows(resources, { links, claims: this.rowsOf('claims', values) });
  }

  addSuperseded(rows: readonly RawRow[]): Promise<void> {
    return this.insert(MOVE_SQL.addSuperseded, rows);
  }

  arrive(partition: PartitionId, arrivals: readonly Arrival[]): Promise<void> {
    return this.parts.arrivals.write(partition, arrivals);
  }

  addIndexRows(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows> {
    return this.parts.reindex.write(partition, resources);
  }

  async chunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<readonly RawRow[]> {
    const read = this.db.prepare(MOVE_SQL.chunk).raw();
    return keys.flatMap(({ blob, number }) => read.all(partition, blob, number) as RawRow[]);
  }

  addChunks(rows: readonly RawRow[]): Promise<void> {
    return this.insert(MOVE_SQL.addChunk, rows);
  }

  removeChunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<void> {
    return this.parts.queue.transaction((db) => {
      const remove = db.prepare(MOVE_SQL.removeChunk);
      for (const { blob, number } of keys) remove.run(partition, blob, number);
    });
  }

  setStages(partition: PartitionId, rows: readonly RawRow[]): Promise<void> {
    return this.parts.queue.transaction((db) => {
      db.prepare(MOVE_SQL.removeStages).run(partition);
      const add = db.prepare(MOVE_SQL.addStage);
      for (const row of rows) add.run(...row);
    });
  }

  /** Counting walks through all keys, which is nothing for the main thread. */
  async movedCounts(partition: PartitionId): Promise<MovedCounts> {
    const count = async (sql: string): Promise<number> => {
      const statement = { sql, bindings: [partition], partitions: [partition] };
      const [row] = await this.parts.reader.all({ ...statement, cost: 'expensive', plan: 'generic' });
      return Number(row?.[0]);
    };
    return {
      resources: await count(MOVE_SQL.countResources),
      versions: await count(MOVE_SQL.countVersions),
      links: await count(MOVE_SQL.countLinks),
      claims: await count(MOVE_SQL.countClaims),
      chunks: await count(MOVE_SQL.countChunks),
    };
  }

  raiseHorizon(partition: PartitionId, at: number): Promise<void> {
    // Other homes have had other blocks, which may be later ones.
    this.parts.queue.renewRowIds();
    return this.parts.queue.transaction((db) => {
      db.prepare(MOVE_SQL.raiseHorizon).run({ partition, at });
    });
  }

  private insert(sql: string, rows: readonly RawRow[]): Promise<void> {
    return this.parts.queue.transaction((db) => {
      const insert = db.prepare(sql);
      for (const row of rows) insert.run(...row);
    });
  }

  protected async all(name: RowRead, values: readonly unknown[]): Promise<readonly RawRow[]> {
    return this.rowsOf(name, values);
  }

  protected listOf(rowIds: readonly number[]): string {
    return JSON.stringify(rowIds);
  }

  private rowsOf(name: keyof typeof MOVE_SQL, values: readonly unknown[]): readonly RawRow[] {
    return this.db
      .prepare(MOVE_SQL[name])
      .raw()
      .all(...values) as RawRow[];
  }
}
