import type { Statement } from 'better-sqlite3';
import type { PartitionId, PartitionScope } from '../../../model/partition.js';
import { fromStoredDate } from '../../partition-date.js';
import type { HistoryKey, HistoryQuery, ResourceStore, StoredVersion, WriteUnit } from '../../store.js';
import type { Dictionary } from '../dictionary.js';
import type { SqlReader, SqlStatement, SqlValue } from '../sql-reader.js';
import { TimeSlice } from '../../time-slice.js';
import type { SqliteDatabase } from './open.js';
import { type HistoryShape, historyCountSql, historySql, prepareAll, READ_SQL } from './statements.js';
import {
  type HistoryRow,
  type KeyedRow,
  toHistoryVersion,
  toStoredVersion,
  type VersionRow,
} from './version-row.js';
import type { WriteQueue } from './write-queue.js';

const END_OF_TIME = 8.64e15;
/** A history key above every version. */
const NEWEST: HistoryKey = {
  updated: END_OF_TIME,
  rowId: Number.MAX_SAFE_INTEGER,
  version: Number.MAX_SAFE_INTEGER,
};

/** One piece of a history: a partition, and a type or one resource in it. */
interface HistoryPart {
  readonly partition: PartitionId;
  readonly typeId: number | null;
  readonly rowId: number | null;
}

/** Resources in SQLite: reads on the main thread's connection, writes through the queue. */
export class SqliteResources implements ResourceStore {
  private readonly reads: Readonly<Record<keyof typeof READ_SQL, Statement>>;
  private readonly dictionary: Dictionary;
  private readonly queue: WriteQueue;
  private readonly reader: SqlReader;

  constructor(db: SqliteDatabase, parts: { dictionary: Dictionary; queue: WriteQueue; reader: SqlReader }) {
    this.reads = prepareAll(db, READ_SQL);
    this.dictionary = parts.dictionary;
    this.queue = parts.queue;
    this.reader = parts.reader;
  }

  async read(scope: PartitionScope, type: string, id: string): Promise<readonly StoredVersion[]> {
    const typeId = this.dictionary.typeId(type);
    if (typeId === undefined) return [];
    const { partitions } = scope;
    const [partition] = partitions;
    if (partition !== undefined && partitions.length === 1) return this.readOne(partition, type, id, typeId);
    const rows = this.reads.readMany.all(JSON.stringify(partitions), typeId, id) as VersionRow[];
    return rows.map((row) => toStoredVersion(this.dictionary, row));
  }

  /** What is asked for by its whole key needs no column of it. */
  private readOne(
    partition: PartitionId,
    type: string,
    id: string,
    typeId: number,
  ): readonly StoredVersion[] {
    const row = this.reads.readOne.get(partition, typeId, id) as KeyedRow | undefined;
    if (row === undefined) return [];
    const [rowId, days, version, updated, deletedAt, text] = row;
    const partitionDate = fromStoredDate(days);
    const deleted = deletedAt !== null;
    return [{ rowId, partition, partitionDate, type, id, version, updated, deleted, text }];
  }

  async readVersion(
    scope: PartitionScope,
    type: string,
    id: string,
    version: number,
  ): Promise<readonly StoredVersion[]> {
    const holders = await this.read(scope, type, id);
    return holders.flatMap((current) => {
      if (current.version === version) return [current];
      const row = this.reads.readSuperseded.get(current.partition, current.rowId, version) as
        VersionRow | undefined;
      return row ? [toStoredVersion(this.dictionary, row)] : [];
    });
  }

  async history(scope: PartitionScope, query: HistoryQuery): Promise<readonly StoredVersion[]> {
    const parts = await this.historyParts(scope, query);
    const sql = historySql(shapeOf(query));
    const slice = new TimeSlice();
    let newest: readonly HistoryRow[] = [];
    for (const part of parts) {
      const rows = (await this.run({ sql, cost: 'cheap' }, part, query)) as readonly HistoryRow[];
      // Cut after each part: with many partitions and types all of their first pages would not fit into memory.
      newest = newest.length === 0 ? rows : [...newest, ...rows].toSorted(newestFirst).slice(0, query.count);
      if (slice.isOver()) await slice.yield();
    }
    return newest.map((row) => toHistoryVersion(this.dictionary, row));
  }

  async countHistory(scope: PartitionScope, query: HistoryQuery): Promise<number> {
    const sql = historyCountSql(shapeOf(query));
    // Counting walks through all versions, which can be many unless they are those of one resource.
    const cost = query.id === undefined ? 'expensive' : 'cheap';
    let total = 0;
    for (const part of await this.historyParts(scope, query)) {
      const [row] = await this.run({ sql, cost }, part, query);
      total += row?.[0] as number;
    }
    return total;
  }

  write(unit: WriteUnit): Promise<void> {
    return this.queue.write(unit);
  }

  private async historyParts(scope: PartitionScope, query: HistoryQuery): Promise<readonly HistoryPart[]> {
    if (query.type !== undefined && query.id !== undefined) {
      const holders = await this.read(scope, query.type, query.id);
      return holders.map(({ partition, rowId }) => ({ partition, typeId: null, rowId }));
    }
    const types = query.type === undefined ? this.dictionary.knownTypes() : [query.type];
    const typeIds = types.flatMap((type) => this.dictionary.typeId(type) ?? []);
    return scope.partitions.flatMap((partition) =>
      typeIds.map((typeId) => ({ partition, typeId, rowId: null })),
    );
  }

  private run(
    { sql, cost }: Pick<SqlStatement, 'sql' | 'cost'>,
    part: HistoryPart,
    query: HistoryQuery,
  ): Promise<readonly (readonly unknown[])[]> {
    const after = query.after ?? NEWEST;
    const named: Record<string, SqlValue> = {
      scope: part.partition,
      typeId: part.typeId,
      rowId: part.rowId,
      since: query.since ?? 0,
      until: query.at?.high ?? END_OF_TIME,
      atLow: query.at?.low ?? 0,
      afterUpdated: after.updated,
      afterRow: after.rowId,
      afterVersion: after.version,
      count: query.count,
    };
    const { text, bindings } = toPositional(sql, named);
    return this.reader.all({ sql: text, bindings, cost, partitions: [part.partition], plan: 'generic' });
  }
}

function shapeOf(query: HistoryQuery): HistoryShape {
  return { target: query.id === undefined ? 'type' : 'instance', window: query.at ? 'at' : 'all' };
}

/** Replaces `@name` by `?`, as readers take their values by position. */
function toPositional(
  sql: string,
  named: Readonly<Record<string, SqlValue>>,
): { text: string; bindings: SqlValue[] } {
  const bindings: SqlValue[] = [];
  const text = sql.replaceAll(/@(\w+)/g, (_, name: string) => {
    bindings.push(named[name] ?? null);
    return '?';
  });
  return { text, bindings };
}

function newestFirst(a: HistoryRow, b: HistoryRow): number {
  return b[6] - a[6] || b[0] - a[0] || b[5] - a[5];
}
