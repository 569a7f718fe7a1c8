import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import { fromStoredDate } from '../../partition-date.js';
import type {
  HomeExports,
  PageEntry,
  PartitionSnapshot,
  VersionList,
  VersionListPage,
  VersionPage,
  VersionWalk,
} from '../../export-store.js';
import type { ResourceStore } from '../../store.js';
import type { Dictionary } from '../dictionary.js';
import { EMPTY_PAGE, MOST_AHEAD_MS, MOST_ROWS, ROW_STATES } from '../export-page.js';
import { releasable } from '../page-memory.js';
import { type SnapshotReader, SqlSnapshotSearch } from '../snapshot-search.js';
import type { SqlReader } from '../sql-reader.js';
import { EXPORT_SQL } from './export-sql.js';
import type { ExportThread } from './export-thread.js';
import type { SqliteDatabase } from './open.js';
import { MOVE_SQL } from './move-sql.js';
import { READ_SQL, WRITE_SQL } from './statements.js';
import type { KeyedRow } from './version-row.js';
import type { SnapshotThreads } from './snapshot-threads.js';
import type { WriteQueue } from './write-queue.js';

/** What bulk exports read of one file, in threads of their own. */
export class SqliteExports implements HomeExports {
  constructor(
    private readonly file: string,
    private readonly parts: {
      readonly queue: Pick<WriteQueue, 'transaction'>;
      readonly dictionary: Dictionary;
      /** Shared by all files. */
      readonly thread: ExportThread;
      readonly snapshots: SnapshotThreads;
    },
  ) {}

  /** The snapshot is taken while nobody writes: its thread is ready before. */
  async freeze<Result>(
    partition: PartitionId,
    work: (snapshot: PartitionSnapshot) => Promise<Result>,
  ): Promise<Result> {
    const { file } = this;
    const { queue, dictionary, snapshots } = this.parts;
    return snapshots.use(file, async (thread) => {
      await thread.rows(file, EXPORT_SQL.look, []);
      const at = await queue.transaction(async (db) => {
        const moment = fixPast(db, partition, dictionary.typeIds());
        await thread.run({ kind: 'begin', file });
        return moment;
      });
      const reader: SnapshotReader = {
        all: ({ sql, bindings }) => thread.seenRows(file, sql, bindings),
        numbers: ({ sql, bindings }) => thread.seenNumbers(file, sql, bindings),
      };
      const resources = { read: readerOf(reader, dictionary) };
      return work({ at, search: new SqlSnapshotSearch(reader, dictionary), resources });
    });
  }

  async walk(
    partition: PartitionId,
    { type, since, until, after, bytes }: VersionWalk,
    detail: 'lines' | 'entries' | 'deletions',
  ): Promise<VersionPage> {
    const typeId = this.parts.dictionary.typeId(type);
    if (typeId === undefined) return EMPTY_PAGE;
    const { updated, rowId } = after ?? { updated: since, rowId: Number.MAX_SAFE_INTEGER };
    const live = detail === 'deletions' ? ROW_STATES.passed : ROW_STATES.live;
    const answer = await this.parts.thread.run({
      kind: 'walk',
      file: this.file,
      values: { partition, typeId, updated, rowId, until, live },
      page: { bytes, rows: MOST_ROWS, detail },
    });
    return 'page' in answer ? releasable(answer.page) : EMPTY_PAGE;
  }

  async versionsAt(
    partition: PartitionId,
    { type, rowIds, until, bytes }: VersionList,
  ): Promise<VersionListPage> {
    const typeId = this.parts.dictionary.typeId(type);
    if (typeId === undefined) return { ...EMPTY_PAGE, rest: [] };
    const answer = await this.parts.thread.run({
      kind: 'list',
      file: this.file,
      values: { partition, typeId, until, live: ROW_STATES.live },
      rowIds,
      page: { bytes, rows: rowIds.length, detail: 'entries' },
    });
    if (!('page' in answer)) return { ...EMPTY_PAGE, rest: [] };
    const { next: _, ...page } = releasable(answer.page);
    return { ...page, rest: rowIds.slice(answer.taken) };
  }

  async lastTexts(
    partition: PartitionId,
    entries: readonly PageEntry[],
  ): Promise<ReadonlyMap<number, string>> {
    const texts = new Map<number, string>();
    for (const { rowId, version } of entries) {
      const [row] = await this.rows(EXPORT_SQL.lastText, [partition, rowId, version]);
      if (row !== undefined) texts.set(rowId, row[0] as string);
    }
    return texts;
  }

  async countTypes(partition: PartitionId): Promise<ReadonlyMap<string, number>> {
    const rows = (await this.rows(EXPORT_SQL.countTypes, [partition])) as readonly (readonly number[])[];
    const { dictionary } = this.parts;
    return new Map(rows.map(([typeId = 0, count = 0]) => [dictionary.typeName(typeId), count]));
  }

  private rows(sql: string, bindings: readonly unknown[]): Promise<readonly (readonly unknown[])[]> {
    return this.parts.thread.rows(this.file, sql, bindings);
  }
}

/** Sets the horizon, in the transaction of a writer. @throws FhirError UNKNOWN_PARTITION */
function fixPast(db: SqliteDatabase, partition: PartitionId, types: readonly number[]): number {
  const before = db.prepare(WRITE_SQL.horizon).pluck().get({ partition }) as number | undefined;
  if (before === undefined) throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
  const now = Date.now();
  const values = { partition, most: now + MOST_AHEAD_MS, types: JSON.stringify(types) };
  const latest = db.prepare(EXPORT_SQL.latest).pluck().get(values) as number | null;
  const at = Math.max(now, latest ?? 0, before);
  db.prepare(MOVE_SQL.raiseHorizon).run({ partition, at });
  return at;
}

/** Reads by id within a snapshot, which is of one partition. */
function readerOf(reader: SqlReader, dictionary: Dictionary): ResourceStore['read'] {
  return async ({ partitions }, type, id) => {
    const typeId = dictionary.typeId(type);
    const [partition] = partitions;
    if (typeId === undefined || partition === undefined) return [];
    const bindings = [partition, typeId, id];
    const [row] = await reader.all({
      sql: READ_SQL.readOne,
      bindings,
      cost: 'cheap',
      partitions,
      plan: 'generic',
    });
    if (row === undefined) return [];
    const [rowId, days, version, updated, deletedAt, text] = row as unknown as KeyedRow;
    const partitionDate = fromStoredDate(days);
    return [
      { rowId, partition, partitionDate, type, id, version, updated, deleted: deletedAt !== null, text },
    ];
  };
}
