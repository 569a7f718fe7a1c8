import type { PartitionId } from '../../../model/partition.js';
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
import { lastWithin, toIndexSources, toReplaced } from '../index-source.js';
import { arrivalStatements } from './arrivals.js';
import { int4Array, int8Array, textArray } from './binary-array.js';
import type { PostgresConnections } from './connections.js';
import { MOVE_SQL, type MovedTable } from './move-sql.js';
import type { NativePartitions } from './native-partitions.js';
import { countContents, purgeSome } from './partition-rows.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { partitionColumn, rawRows } from './raw-rows.js';
import { addIndexRows } from './reindex.js';
import { retain } from './retain.js';
import type { PgStatement, PgValue } from './statement.js';

type MarkRow = readonly [typeId: number, id: string, rowId: number, version: number, updated: number];

/** Rows of partitions in one PostgreSQL database or schema. */
export class PostgresRows implements HomeRows {
  constructor(
    private readonly connections: PostgresConnections,
    private readonly parts: {
      readonly dictionary: PostgresDictionary;
      /** Every partition whose rows may be here. */
      readonly partitions: () => Promise<readonly PartitionId[]>;
      /** Undefined where the tables have no native partitions. */
      readonly natives?: NativePartitions | undefined;
    },
  ) {}

  contents(partition: PartitionId): Promise<PartitionContents> {
    return countContents((statements) => this.connections.read([partition], statements), partition);
  }

  async purgeSome(partition: PartitionId, limit: number): Promise<number> {
    const dropped = (await this.parts.natives?.drop(partition)) ?? 0;
    return dropped > 0 ? dropped : purgeSome(this.connections, partition, { limit });
  }

  async drainSome(partition: PartitionId, limit: number): Promise<number> {
    const dropped = (await this.parts.natives?.drop(partition)) ?? 0;
    return dropped > 0 ? dropped : purgeSome(this.connections, partition, { limit, keep: 'id claims' });
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

  async state(partition: PartitionId): Promise<ServiceState | undefined> {
    const [row] = await this.all('state', [partition]);
    return row?.[0] as ServiceState | undefined;
  }

  async marks(
    partition: PartitionId,
    after: ResourceMark | null,
    limit: number,
  ): Promise<readonly ResourceMark[]> {
    const from = [after?.typeId ?? -1, after?.id ?? ''];
    return this.toMarks(await this.all('marks', [partition, ...from, limit]));
  }

  async countAfter(
    partition: PartitionId,
    after: Pick<ResourceMark, 'typeId' | 'id'> | null,
    limit: number,
  ): Promise<readonly TypeCount[]> {
    const from = [after?.typeId ?? -1, after?.id ?? ''];
    const rows = (await this.all('countAfter', [partition, ...from, limit])) as [number, string, number][];
    const { dictionary } = this.parts;
    await dictionary.knowTypes(rows.map(([typeId]) => typeId));
    return rows.map(([typeId, id, count]) => ({ typeId, type: dictionary.typeName(typeId), id, count }));
  }

  async typeIds(): Promise<readonly number[]> {
    await this.parts.dictionary.load();
    return this.parts.dictionary.typeIds();
  }

  async types(): Promise<readonly string[]> {
    await this.parts.dictionary.load();
    return this.parts.dictionary.knownTypes();
  }

  async changed(
    partition: PartitionId,
    since: { readonly typeId: number; readonly updated: number },
    after: ResourceMark | null,
    limit: number,
  ): Promise<readonly ResourceMark[]> {
    const from = [after?.updated ?? since.updated, after?.rowId ?? -1];
    return this.toMarks(await this.all('changed', [partition, since.typeId, ...from, limit]));
  }

  async versions(partition: PartitionId, rowIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return new Map((await this.all('versions', [partition, int8Array(rowIds)])) as [number, number][]);
  }

  async resources(partition: PartitionId, rowIds: readonly number[]): Promise<readonly ResourceRows[]> {
    const values = [partition, int8Array(rowIds)];
    const [links, claims, resources] = (await this.connections.read(
      [partition],
      [statement('links', values), statement('claims', values), statement('resources', values)],
    )) as unknown as readonly { readonly rows: readonly RawRow[] }[];
    const linksOf = Map.groupBy(links?.rows ?? [], ([rowId]) => rowId);
    const claimsOf = Map.groupBy(claims?.rows ?? [], ([rowId]) => rowId);
    const rows = resources?.rows ?? [];
    await this.parts.dictionary.knowTypes(rows.map((row) => row[3] as number));
    return rows.map((resource) => ({
      rowId: resource[0] as number,
      type: this.parts.dictionary.typeName(resource[3] as number),
      text: resource[8] as string | null,
      resource,
      links: linksOf.get(resource[0]!) ?? [],
      claims: claimsOf.get(resource[0]!) ?? [],
    }));
  }

  superseded(
    partition: PartitionId,
    { rowId, version }: { readonly rowId: number; readonly version: number },
    limit: number,
  ): Promise<readonly RawRow[]> {
    return this.all('superseded', [partition, rowId, version, limit]);
  }

  async supersededVersions(
    partition: PartitionId,
    rowIds: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const rows = await this.all('supersededVersions', [partition, int8Array(rowIds)]);
    return new Map(rows as [number, number][]);
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
  }

  async ofType(
    partition: PartitionId,
    { type, after }: { readonly type: string; readonly after: string },
    limit: { readonly resources: number; readonly bytes: number },
  ): Promise<readonly IndexSource[]> {
    const typeId = this.parts.dictionary.typeId(type);
    if (typeId === undefined) return [];
    const from = [partition, typeId, after];
    const last = lastWithin(await this.all('sizesOfType', [...from, limit.resources]), limit.bytes);
    return last === undefined ? [] : toIndexSources(await this.all('ofType', [...from, last]));
  }

  async replacedWithin(
    partition: PartitionId,
    rowIds: readonly number[],
    { since, until, after, count }: VersionWindow,
  ): Promise<readonly ReplacedVersion[]> {
    const from = [after.rowId, after.version, since, until, count];
    return toReplaced(await this.all('replacedWithin', [partition, int8Array(rowIds), ...from]));
  }

  addIndexRows(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows> {
    return addIndexRows({ connections: this.connections, ...this.parts }, partition, resources);
  }

  async chunkKeys(
    partition: PartitionId,
    after: ChunkKey | null,
    limit: number,
  ): Promise<readonly ChunkKey[]> {
    const rows = await this.all('chunkKeys', [partition, after?.blob ?? '', after?.number ?? -1, limit]);
    return (rows as [string, number][]).map(([blob, number]) => ({ blob, number }));
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

  stages(partition: PartitionId): Promise<readonly RawRow[]> {
    return this.all('stages', [partition]);
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

  /** Every row says its own partition. */
  private async add(table: MovedTable, text: string, rows: readonly RawRow[]): Promise<void> {
    const column = partitionColumn(table);
    const partitions = new Set(rows.map((row) => row[column] as PartitionId));
    if (partitions.size > 0) await this.connections.write([...partitions], [rawRows(table, text, rows)]);
  }

  private async all(name: keyof typeof MOVE_SQL, values: readonly PgValue[]): Promise<readonly RawRow[]> {
    const [result] = await this.connections.read([values[0] as PartitionId], [statement(name, values)]);
    return (result?.rows ?? []) as readonly RawRow[];
  }

  private async toMarks(rows: readonly RawRow[]): Promise<readonly ResourceMark[]> {
    const marks = rows as unknown as readonly MarkRow[];
    await this.parts.dictionary.knowTypes(marks.map(([typeId]) => typeId));
    return marks.map(([typeId, id, rowId, version, updated]) => ({
      typeId,
      type: this.parts.dictionary.typeName(typeId),
      id,
      rowId,
      version,
      updated,
    }));
  }
}

function statement(name: keyof typeof MOVE_SQL, values: readonly PgValue[]): PgStatement {
  return { text: MOVE_SQL[name], values };
}

function keyArrays(keys: readonly ChunkKey[]): readonly PgValue[] {
  return [textArray(keys.map(({ blob }) => blob)), int4Array(keys.map(({ number }) => number))];
}
