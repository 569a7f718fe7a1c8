import type { PartitionId } from '../../model/partition.js';
import type {
  ChunkKey,
  HomeRows,
  IndexSource,
  RawRow,
  ReplacedVersion,
  ResourceMark,
  ResourceRows,
  ServiceState,
  TypeCount,
  VersionWindow,
} from '../placement/home.js';
import type { Dictionary } from './dictionary.js';
import { lastWithin, toIndexSources, toReplaced } from './index-source.js';

/** Names of the statements that read rows as they are; each store has its own SQL for them. */
export type RowRead =
  | 'state'
  | 'marks'
  | 'countAfter'
  | 'changed'
  | 'versions'
  | 'superseded'
  | 'supersededVersions'
  | 'sizesOfType'
  | 'ofType'
  | 'replacedWithin'
  | 'chunkKeys'
  | 'horizon'
  | 'stages';

/** A value of such a statement; a list of row ids is what `listOf` makes of it. */
type ReadValue = string | number | Buffer;

type MarkRow = readonly [typeId: number, id: string, rowId: number, version: number, updated: number];
type CountRow = readonly [typeId: number, id: string, count: number];

/** What both stores read alike of a partition's rows, whatever their SQL. */
export abstract class RowReads implements Pick<HomeRows, Exclude<RowRead, 'sizesOfType'>> {
  constructor(private readonly dictionary: Dictionary) {}

  protected abstract all(
    name: RowRead,
    values: readonly [PartitionId, ...ReadValue[]],
  ): Promise<readonly RawRow[]>;

  /** A list of row ids as one value. */
  protected abstract listOf(rowIds: readonly number[]): string | Buffer;

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
    const rows = (await this.all('countAfter', [partition, ...from, limit])) as unknown as CountRow[];
    await this.dictionary.knowTypes(rows.map(([typeId]) => typeId));
    return rows.map(([typeId, id, count]) => ({
      typeId,
      type: this.dictionary.typeName(typeId),
      id,
      count,
    }));
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

  versions(partition: PartitionId, rowIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return this.byRowId('versions', partition, rowIds);
  }

  superseded(
    partition: PartitionId,
    { rowId, version }: { readonly rowId: number; readonly version: number },
    limit: number,
  ): Promise<readonly RawRow[]> {
    return this.all('superseded', [partition, rowId, version, limit]);
  }

  supersededVersions(
    partition: PartitionId,
    rowIds: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    return this.byRowId('supersededVersions', partition, rowIds);
  }

  async ofType(
    partition: PartitionId,
    { type, after }: { readonly type: string; readonly after: string },
    limit: { readonly resources: number; readonly bytes: number },
  ): Promise<readonly IndexSource[]> {
    const typeId = this.dictionary.typeId(type);
    if (typeId === undefined) return [];
    const sizes = await this.all('sizesOfType', [partition, typeId, after, limit.resources]);
    const last = lastWithin(sizes, limit.bytes);
    if (last === undefined) return [];
    return toIndexSources(await this.all('ofType', [partition, typeId, after, last]));
  }

  async replacedWithin(
    partition: PartitionId,
    rowIds: readonly number[],
    { since, until, after, count }: VersionWindow,
  ): Promise<readonly ReplacedVersion[]> {
    const window = [after.rowId, after.version, since, until, count];
    return toReplaced(await this.all('replacedWithin', [partition, this.listOf(rowIds), ...window]));
  }

  async chunkKeys(
    partition: PartitionId,
    after: ChunkKey | null,
    limit: number,
  ): Promise<readonly ChunkKey[]> {
    const rows = await this.all('chunkKeys', [partition, after?.blob ?? '', after?.number ?? -1, limit]);
    return (rows as [string, number][]).map(([blob, number]) => ({ blob, number }));
  }

  stages(partition: PartitionId): Promise<readonly RawRow[]> {
    return this.all('stages', [partition]);
  }

  async horizon(partition: PartitionId): Promise<number> {
    const [row] = await this.all('horizon', [partition]);
    return Number(row?.[0] ?? 0);
  }

  /** Puts what hangs on resources beside their rows. */
  protected async toResourceRows(
    resources: readonly RawRow[],
    hanging: { readonly links: readonly RawRow[]; readonly claims: readonly RawRow[] },
  ): Promise<readonly ResourceRows[]> {
    const links = Map.groupBy(hanging.links, ([rowId]) => rowId);
    const claims = Map.groupBy(hanging.claims, ([rowId]) => rowId);
    await this.dictionary.knowTypes(resources.map((row) => row[3] as number));
    return resources.map((resource) => ({
      rowId: resource[0] as number,
      type: this.dictionary.typeName(resource[3] as number),
      text: resource[8] as string | null,
      resource,
      links: links.get(resource[0]!) ?? [],
      claims: claims.get(resource[0]!) ?? [],
    }));
  }

  private async byRowId(
    name: RowRead,
    partition: PartitionId,
    rowIds: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    return new Map((await this.all(name, [partition, this.listOf(rowIds)])) as [number, number][]);
  }

  private async toMarks(rows: readonly RawRow[]): Promise<readonly ResourceMark[]> {
    const marks = rows as unknown as readonly MarkRow[];
    await this.dictionary.knowTypes(marks.map(([typeId]) => typeId));
    return marks.map(([typeId, id, rowId, version, updated]) => ({
      typeId,
      type: this.dictionary.typeName(typeId),
      id,
      rowId,
      version,
      updated,
    }));
  }
}
