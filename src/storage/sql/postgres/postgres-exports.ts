import { LRUCache } from 'lru-cache';
import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import type {
  HomeExports,
  PageEntry,
  PartitionSnapshot,
  VersionList,
  VersionListPage,
  VersionPage,
  VersionWalk,
} from '../../export-store.js';
import { EMPTY_PAGE, MOST_ROWS, PageBuilder } from '../export-page.js';
import { type PageMemory, releasable } from '../page-memory.js';
import { postgresSearchDialect } from '../search-dialect.js';
import { SqlSnapshotSearch } from '../snapshot-search.js';
import { int4Array, int8Array } from './binary-array.js';
import type { PgSnapshot, PostgresConnections } from './connections.js';
import { CopiedPage } from './copied-rows.js';
import { refusalOf } from './database-error.js';
import { EXPORT_SQL, listSql, walkSql } from './export-sql.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { PostgresResources } from './postgres-resources.js';
import { PostgresSnapshotReader } from './snapshot-reader.js';

/** Longest run of one statement in a snapshot, in milliseconds: a search may walk through all of a partition. */
const SNAPSHOT_TIMEOUT_MS = 600_000;
/** Rows that a page is asked to hold before it is known how large those of a type are. */
const FIRST_ROWS = 2_000;
const FEWEST_ROWS = 100;
/** Rows are asked for beyond what the average tells. */
const MARGIN = 1.2;
const MOST_AVERAGES = 10_000;

/** What bulk exports read of one database or schema. */
export class PostgresExports implements HomeExports {
  /** Bytes of a row, by partition and type. */
  private readonly averages = new LRUCache<string, number>({ max: MOST_AVERAGES });

  /** `connections` are the exports' own: who reads or writes has to wait for none of them. */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly dictionary: PostgresDictionary,
    private readonly memory: PageMemory,
  ) {}

  async freeze<Result>(
    partition: PartitionId,
    work: (snapshot: PartitionSnapshot) => Promise<Result>,
  ): Promise<Result> {
    const { at, snapshot } = await this.fixPast(partition);
    try {
      const reader = new PostgresSnapshotReader(snapshot, SNAPSHOT_TIMEOUT_MS);
      return await work({
        at,
        search: new SqlSnapshotSearch(reader, this.dictionary, postgresSearchDialect()),
        resources: new PostgresResources({
          connections: snapshot,
          dictionary: this.dictionary,
          queue: { write: () => Promise.reject(new Error('Nothing is written in a snapshot.')) },
          statistics: { note: () => undefined },
          timeoutMs: SNAPSHOT_TIMEOUT_MS,
        }),
      });
    } finally {
      await snapshot.close();
    }
  }

  async walk(
    partition: PartitionId,
    { type, since, until, after, bytes }: VersionWalk,
    detail: 'lines' | 'entries' | 'deletions',
  ): Promise<VersionPage> {
    const typeId = await this.typeId(type);
    if (typeId === undefined) return EMPTY_PAGE;
    const key = `${partition} ${typeId}`;
    const isOfDeletions = detail === 'deletions';
    const rows = isOfDeletions ? MOST_ROWS : rowsFor(bytes, this.averages.get(key));
    const { updated, rowId } = after ?? { updated: since, rowId: Number.MAX_SAFE_INTEGER };
    const range = { partition, typeId, until, rows, bytes, updated, rowId, isOfDeletions };
    const copied = new CopiedPage(() => new PageBuilder({ bytes, rows }, detail, this.memory));
    const page = await this.copied(partition, walkSql(range), copied);
    if (!isOfDeletions && copied.rows > 0) this.averages.set(key, page.lines.length / copied.rows);
    return page;
  }

  async versionsAt(
    partition: PartitionId,
    { type, rowIds, until, bytes }: VersionList,
  ): Promise<VersionListPage> {
    const typeId = await this.typeId(type);
    if (typeId === undefined || rowIds.length === 0) return { ...EMPTY_PAGE, rest: [] };
    const limit = { bytes, rows: rowIds.length + 1 };
    const copied = new CopiedPage(() => new PageBuilder(limit, 'entries', this.memory));
    const text = listSql({ partition, typeId, until, ...limit }, rowIds);
    const { next, ...page } = await this.copied(partition, text, copied);
    return { ...page, rest: next === null ? [] : rowIds.filter((rowId) => rowId > next.rowId) };
  }

  async lastTexts(
    partition: PartitionId,
    entries: readonly PageEntry[],
  ): Promise<ReadonlyMap<number, string>> {
    const values = [
      partition,
      int8Array(entries.map(({ rowId }) => rowId)),
      int4Array(entries.map(({ version }) => version)),
    ];
    const statement = { name: 'last texts', text: EXPORT_SQL.lastTexts, values };
    const [found] = await this.connections.read([partition], [statement]);
    const rows = (found?.rows ?? []) as unknown as readonly (readonly [number, string | null])[];
    return new Map(rows.flatMap(([rowId, text]) => (text === null ? [] : [[rowId, text] as const])));
  }

  async countTypes(partition: PartitionId): Promise<ReadonlyMap<string, number>> {
    const statement = { name: 'count types', text: EXPORT_SQL.countTypes, values: [partition] };
    const [counted] = await this.connections.read([partition], [statement]);
    const rows = (counted?.rows ?? []) as readonly (readonly number[])[];
    const { dictionary } = this;
    await dictionary.knowTypes(rows.map(([typeId = 0]) => typeId));
    return new Map(rows.map(([typeId = 0, count]) => [dictionary.typeName(typeId), Number(count)]));
  }

  private async copied(partition: PartitionId, text: string, target: CopiedPage): Promise<VersionPage> {
    try {
      await this.connections.read([partition], [{ text, values: [], target }]);
    } catch (error) {
      target.abandon();
      throw error;
    }
    return releasable(target.finish());
  }

  /** The snapshot is taken while nobody writes. */
  private async fixPast(
    partition: PartitionId,
  ): Promise<{ readonly at: number; readonly snapshot: PgSnapshot }> {
    let snapshot: PgSnapshot | undefined;
    try {
      return await this.connections.transaction(
        [partition],
        async (transaction) => {
          const [fixed] = await transaction.run([{ text: EXPORT_SQL.fixPast, values: [partition] }]);
          snapshot = await this.connections.openSnapshot([partition], SNAPSHOT_TIMEOUT_MS);
          return { at: Number(fixed?.rows[0]?.[0]), snapshot };
        },
        'exclusive',
      );
    } catch (error) {
      await snapshot?.close();
      if (refusalOf(error)?.kind !== 'gone') throw error;
      throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
    }
  }

  /** Another server may have been the first to write the type. */
  private async typeId(type: string): Promise<number | undefined> {
    const { dictionary } = this;
    return dictionary.typeId(type) ?? ((await dictionary.catchUp()) ? dictionary.typeId(type) : undefined);
  }
}

function rowsFor(bytes: number, average: number | undefined): number {
  if (average === undefined) return FIRST_ROWS;
  const wanted = Math.ceil((bytes / Math.max(1, average)) * MARGIN);
  return Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, wanted));
}
