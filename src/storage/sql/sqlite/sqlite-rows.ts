import type { PartitionId } from '../../../model/partition.js';
import { toStoredDate } from '../../partition-date.js';
import type {
  AddedRows,
  Arrival,
  ChunkKey,
  HomeRows,
  IndexSource,
  MovedCounts,
  RawRow,
  Reindexed,
  ReplacedVersion,
  ResourceMark,
  ResourceRows,
  RetainedRows,
  ServiceState,
  TypeCount,
  VersionWindow,
} from '../../placement/home.js';
import type { PartitionContents } from '../../store.js';
import type { Dictionary } from '../dictionary.js';
import { lastWithin, toIndexSources, toReplaced } from '../index-source.js';
import type { SqlReader } from '../sql-reader.js';
import type { ArrivalWriter } from './arrival-writer.js';
import type { SqliteDatabase } from './open.js';
import { countContents, purgeSome } from './purge.js';
import { MOVE_SQL } from './move-sql.js';
import type { ReindexWriter } from './reindex-writer.js';
import { countDangling, retain } from './retain.js';
import type { WriteQueue } from './write-queue.js';

type MarkRow = readonly [typeId: number, id: string, rowId: number, version: number, updated: number];
type CountRow = [typeId: number, id: string, count: number];

/** Rows of partitions in one SQLite file: reads on the read connection, writes through the queue. */
export class SqliteRows implements HomeRows {
  constructor(
    private readonly db: SqliteDatabase,
    private readonly parts: {
      readonly queue: WriteQueue;
      readonly dictionary: Dictionary;
      readonly arrivals: ArrivalWriter;
      readonly reindex: ReindexWriter;
      readonly reader: SqlReader;
    },
  ) {}

  async contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents(this.db, partition);
  }

  purgeSome(partition: PartitionId, limit: number): Promise<number> {
    return this.parts.queue.transaction((db) => purgeSome(db, partition, { limit }));
  }

  drainSome(partition: PartitionId, limit: number): Promise<number> {
    return this.parts.queue.transaction((db) => purgeSome(db, partition, { limit, keep: 'id claims' }));
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

  async state(partition: PartitionId): Promise<ServiceState | undefined> {
    const [row] = this.all(MOVE_SQL.state, [partition]) as (readonly [ServiceState])[];
    return row?.[0];
  }

  async marks(
    partition: PartitionId,
    after: ResourceMark | null,
    limit: number,
  ): Promise<readonly ResourceMark[]> {
    return this.toMarks(
      this.all(MOVE_SQL.marks, [partition, after?.typeId ?? -1, after?.id ?? '', limit]) as MarkRow[],
    );
  }

  async countAfter(
    partition: PartitionId,
    after: Pick<ResourceMark, 'typeId' | 'id'> | null,
    limit: number,
  ): Promise<readonly TypeCount[]> {
    const rows = this.all(MOVE_SQL.countAfter, [partition, after?.typeId ?? -1, after?.id ?? '', limit]);
    const { dictionary } = this.parts;
    return (rows as CountRow[]).map(([typeId, id, count]) => ({
      typeId,
      type: dictionary.typeName(typeId),
      id,
      count,
    }));
  }

  async typeIds(): Promise<readonly number[]> {
    return this.parts.dictionary.typeIds();
  }

  async types(): Promise<readonly string[]> {
    await this.parts.dictionary.catchUp();
    return this.parts.dictionary.knownTypes();
  }

  async changed(
    partition: PartitionId,
    since: { readonly typeId: number; readonly updated: number },
    after: ResourceMark | null,
    limit: number,
  ): Promise<readonly ResourceMark[]> {
    const from = [after?.updated ?? since.updated, after?.rowId ?? -1];
    return this.toMarks(this.all(MOVE_SQL.changed, [partition, since.typeId, ...from, limit]) as MarkRow[]);
  }

  async versions(partition: PartitionId, rowIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return new Map(this.all(MOVE_SQL.versions, [partition, JSON.stringify(rowIds)]) as [number, number][]);
  }

  async resources(partition: PartitionId, rowIds: readonly number[]): Promise<readonly ResourceRows[]> {
    const values = [partition, JSON.stringify(rowIds)];
    // Links and claims are never older than the resource: if they are newer, so will be its version.
    const found = this.all(MOVE_SQL.resources, values);
    const links = Map.groupBy(this.all(MOVE_SQL.links, values), ([rowId]) => rowId);
    const claims = Map.groupBy(this.all(MOVE_SQL.claims, values), ([rowId]) => rowId);
    return found.map((resource) => ({
      rowId: resource[0] as number,
      type: this.parts.dictionary.typeName(resource[3] as number),
      text: resource[8] as string | null,
      resource,
      links: links.get(resource[0]!) ?? [],
      claims: claims.get(resource[0]!) ?? [],
    }));
  }

  async superseded(
    partition: PartitionId,
    { rowId, version }: { readonly rowId: number; readonly version: number },
    limit: number,
  ): Promise<readonly RawRow[]> {
    return this.all(MOVE_SQL.superseded, [partition, rowId, version, limit]);
  }

  async supersededVersions(
    partition: PartitionId,
    rowIds: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const rows = this.all(MOVE_SQL.supersededVersions, [partition, JSON.stringify(rowIds)]);
    return new Map(rows as [number, number][]);
  }

  addSuperseded(rows: readonly RawRow[]): Promise<void> {
    return this.insert(MOVE_SQL.addSuperseded, rows);
  }

  arrive(partition: PartitionId, arrivals: readonly Arrival[]): Promise<void> {
    return this.parts.arrivals.write(partition, arrivals);
  }

  async ofType(
    partition: PartitionId,
    { type, after }: { readonly type: string; readonly after: string },
    limit: { readonly resources: number; readonly bytes: number },
  ): Promise<readonly IndexSource[]> {
    const typeId = this.parts.dictionary.typeId(type);
    if (typeId === undefined) return [];
    const from = [partition, typeId, after];
    const last = lastWithin(this.all(MOVE_SQL.sizesOfType, [...from, limit.resources]), limit.bytes);
    return last === undefined ? [] : toIndexSources(this.all(MOVE_SQL.ofType, [...from, last]));
  }

  async replacedWithin(
    partition: PartitionId,
    rowIds: readonly number[],
    { since, until, after, count }: VersionWindow,
  ): Promise<readonly ReplacedVersion[]> {
    const from = [after.rowId, after.version, since, until, count];
    return toReplaced(this.all(MOVE_SQL.replacedWithin, [partition, JSON.stringify(rowIds), ...from]));
  }

  addIndexRows(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows> {
    return this.parts.reindex.write(partition, resources);
  }

  async chunkKeys(
    partition: PartitionId,
    after: ChunkKey | null,
    limit: number,
  ): Promise<readonly ChunkKey[]> {
    const rows = this.all(MOVE_SQL.chunkKeys, [partition, after?.blob ?? '', after?.number ?? -1, limit]);
    return (rows as [string, number][]).map(([blob, number]) => ({ blob, number }));
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

  async stages(partition: PartitionId): Promise<readonly RawRow[]> {
    return this.all(MOVE_SQL.stages, [partition]);
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

  private insert(sql: string, rows: readonly RawRow[]): Promise<void> {
    return this.parts.queue.transaction((db) => {
      const insert = db.prepare(sql);
      for (const row of rows) insert.run(...row);
    });
  }

  private all(sql: string, values: readonly unknown[]): RawRow[] {
    return this.db
      .prepare(sql)
      .raw()
      .all(...values) as RawRow[];
  }

  private toMarks(rows: readonly MarkRow[]): readonly ResourceMark[] {
    return rows.map(([typeId, id, rowId, version, updated]) => ({
      typeId,
      type: this.parts.dictionary.typeName(typeId),
      id,
      rowId,
      version,
      updated,
    }));
  }
}
