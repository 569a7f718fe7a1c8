import type { PartitionId } from '../../../model/partition.js';
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
import { type RowRead, RowReads } from '../row-reads.js';
import { arrivalStatements } from './arrivals.js';
import { int4Array, int8Array, textArray } from './binary-array.js';
import type { PostgresConnections } from './connections.js';
import { MOVE_SQL, type MovedTable } from './move-sql.js';
import type { NativePartitions } from './native-partitions.js';
import { countContents, purgeSome } from './partition-rows.js';
import { PostgresCopies } from './postgres-copies.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { partitionColumn, rawRows } from './raw-rows.js';
import { addIndexRows } from './reindex.js';
import { retain } from './retain.js';
import type { PgStatement, PgValue } from './statement.js';
import type { TableStatistics } from './table-statistics.js';

/** Rows of partitions in one PostgreSQL database or schema. */
export class PostgresRows extends RowReads implements HomeRows {
  readonly copies: HomeCopies;

  constructor(
    private readonly connections: PostgresConnections,
    private readonly parts: {
      readonly dictionary: PostgresDictionary;
      /** Every partition whose rows may be here. */
      readonly partitions: () => Promise<readonly PartitionId[]>;
      /** Undefined where the tables have no native partitions. */
      readonly natives?: NativePartitions | undefined;
      readonly statistics: TableStatistics;
      readonly usage: HomeUsage;
    },
  ) {
    super(parts.dictionary);
    this.copies = new PostgresCopies(connections, parts.dictionary);
  }

  get usage(): HomeUsage {
    return this.parts.usage;
  }

  contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents((statements) => this.connections.read([partition], statements), partition);
  }

  async purgeSome(partition: PartitionId, limit: number): Promise<number> {
    const dropped = (await this.parts.natives?.drop(partition)) ?? 0;
    return dropped > 0 ? dropped : purgeSome(this.connections, partition, { limit });
  }

  async drainSome(partition: PartitionId, limit: number): Promise<number> {
    const dropped = (await this.parts.natives?.drop(partition)) ?? 0;
    return dropped > 0 ? dropped : purgeSome(this.connections, partition, { limit, keep: 'what stays' });
  }

  async *retain(partition: PartitionId, date: string, limit: number): AsyncIterable<RetainedRows> {
    const emptied = await this.parts.natives?.empty(partition, date);
    if (emptied) yield emptied;
    await this.parts.dictionary.load();
    const binaryType = this.parts.dictionary.typeId('Binary') ?? -1;
    yield* retain(this.connections, { partition, before: date, binaryType }, limit);
  }

  async danglingLinks(partition: PartitionId): Promise<number> {
    const partitions = await this.parts.partitions();
    const values = [partition, int4Array(partitions)];
    const [result] = await this.connections.read(
      [...new Set([partition, ...partitions])],
      [{ text: MOVE_SQL.dangling, values }],
    );
    return result?.rows[0]?.[0] as number;
  }

  async setState(partition: PartitionId, state: ServiceState): Promise<void> {
    await this.connections.write([partition], [statement('setState', [partition, state])], 'exclusive');
  }

  async typeIds(): Promise<readonly number[]> {
    await this.parts.dictionary.load();
    return this.parts.dictionary.typeIds();
  }

  async types(): Promise<readonly string[]> {
    await this.parts.dictionary.load();
    return this.parts.dictionary.knownTypes();
  }

  async resources(partition: PartitionId, rowIds: readonly number[]): Promise<readonly ResourceRows[]> {
    const values = [partition, int8Array(rowIds)];
    const [links, claims, resources] = (await this.connections.read(
      [partition],
      [statement('links', values), statement('claims', values), statement('resources', values)],
    )) as unknown as readonly { readonly rows: readonly RawRow[] }[];
    return this.toResourceRows(resources?.rows ?? [], {
      links: links?.rows ?? [],
      claims: claims?.rows ?? [],
    });
  }

  addSuperseded(rows: readonly RawRow[]): Promise<void> {
    return this.add('HFJ_RES_VER', MOVE_SQL.addSuperseded, rows);
  }

  async arrive(partition: PartitionId, arrivals: readonly Arrival[]): Promise<void> {
    if (arrivals.length === 0) return;
    await this.connections.write(
      [partition],
      await arrivalStatements(this.parts.dictionary, partition, arrivals),
    );
    this.parts.statistics.note(arrivals.length);
  }

  async addIndexRows(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows> {
    const parts = { connections: this.connections, ...this.parts };
    const result = await addIndexRows(parts, partition, resources);
    if (result.added > 0) this.parts.statistics.note(resources.length);
    return result;
  }

  chunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<readonly RawRow[]> {
    return this.all('chunks', [partition, ...keyArrays(keys)]);
  }

  addChunks(rows: readonly RawRow[]): Promise<void> {
    return this.add('HFJ_BINARY_CHUNK', MOVE_SQL.addChunks, rows);
  }

  async removeChunks(partition: PartitionId, keys: readonly ChunkKey[]): Promise<void> {
    const values = [partition, ...keyArrays(keys)];
    await this.connections.write([partition], [statement('removeChunks', values)]);
  }

  async setStages(partition: PartitionId, rows: readonly RawRow[]): Promise<void> {
    const statements = [
      statement('removeStages', [partition]),
      rawRows('HFJ_BINARY_STAGE', MOVE_SQL.addStages, rows),
    ];
    await this.connections.write([partition], statements);
  }

  async movedCounts(partition: PartitionId): Promise<MovedCounts> {
    const names = ['countResources', 'countVersions', 'countLinks', 'countClaims', 'countChunks'] as const;
    const results = await this.connections.read(
      [partition],
      names.map((name) => statement(name, [partition])),
    );
    const counts = results.map((result) => result.rows[0]?.[0] as number);
    const [resources, versions, links, claims, chunks] = counts as [number, number, number, number, number];
    return { resources, versions, links, claims, chunks };
  }

  async raiseHorizon(partition: PartitionId, at: number): Promise<void> {
    await this.connections.write([partition], [statement('raiseHorizon', [partition, at])]);
  }

  /** Every row says its own partition. */
  private async add(table: MovedTable, text: string, rows: readonly RawRow[]): Promise<void> {
    const column = partitionColumn(table);
    const partitions = new Set(rows.map((row) => row[column] as PartitionId));
    if (partitions.size > 0) await this.connections.write([...partitions], [rawRows(table, text, rows)]);
  }

  protected async all(
    name: RowRead | 'chunks',
    values: readonly [PartitionId, ...PgValue[]],
  ): Promise<readonly RawRow[]> {
    const [result] = await this.connections.read([values[0]], [statement(name, values)]);
    return (result?.rows ?? []) as readonly RawRow[];
  }

  protected listOf(rowIds: readonly number[]): Buffer {
    return int8Array(rowIds);
  }
}

function statement(name: keyof typeof MOVE_SQL, values: readonly PgValue[]): PgStatement {
  return { text: MOVE_SQL[name], values };
}

function keyArrays(keys: readonly ChunkKey[]): readonly PgValue[] {
  return [textArray(keys.map(({ blob }) => blob)), int4Array(keys.map(({ number }) => number))];
}
