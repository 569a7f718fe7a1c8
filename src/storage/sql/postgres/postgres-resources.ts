import type { PartitionId, PartitionScope } from '../../../model/partition.js';
import type { HistoryKey, HistoryQuery, ResourceStore, StoredVersion, WriteUnit } from '../../store.js';
import { int4Array, int8Array } from './binary-array.js';
import type { PostgresConnections, ReadOptions } from './connections.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { type HistoryShape, historyCountSql, historySql, READ_SQL } from './read-sql.js';
import type { PgResult, PgStatement, PgValue } from './statement.js';
import type { TableStatistics } from './table-statistics.js';
import type { PostgresWriteQueue } from './write-queue.js';

const END_OF_TIME = 8.64e15;
/** A history key above every version. */
const NEWEST: HistoryKey = {
  updated: END_OF_TIME,
  rowId: Number.MAX_SAFE_INTEGER,
  version: Number.MAX_SAFE_INTEGER,
};
/** Pieces of a history that are asked for in one round trip. */
const PARTS_AT_ONCE = 16;

/** One piece of a history: a partition, and a type or one resource in it. */
interface HistoryPart {
  readonly partition: PartitionId;
  /** RES_TYPE_ID or RES_ID. */
  readonly target: number;
}

/** The columns of READ_SQL. */
type VersionRow = readonly [
  rowId: number,
  partition: number,
  partitionDate: string | null,
  typeId: number,
  id: string,
  version: number,
  updated: number,
  deletedAt: number | null,
  text: string | null,
];

/** The same in a history, with the time of the deletion that the version follows. */
type HistoryRow = readonly [...VersionRow, deletedBefore: number | null];

/** What resources are read and written with. */
export interface PostgresResourcesParts {
  readonly connections: Pick<PostgresConnections, 'read'>;
  readonly dictionary: PostgresDictionary;
  readonly queue: Pick<PostgresWriteQueue, 'write'>;
  readonly statistics: Pick<TableStatistics, 'note'>;
  readonly timeoutMs: number;
}

/** Resources in PostgreSQL. */
export class PostgresResources implements ResourceStore {
  constructor(private readonly parts: PostgresResourcesParts) {}

  async read(scope: PartitionScope, type: string, id: string): Promise<readonly StoredVersion[]> {
    const typeId = await this.typeId(type);
    if (typeId === undefined) return [];
    const { partitions } = scope;
    const statement =
      partitions.length === 1
        ? { name: 'read one', text: READ_SQL.readOne, values: [partitions[0]!, typeId, id] }
        : { name: 'read many', text: READ_SQL.readMany, values: [int4Array(partitions), typeId, id] };
    return this.versions(await this.run(partitions, [statement], { byKey: true }));
  }

  async readVersion(
    scope: PartitionScope,
    type: string,
    id: string,
    version: number,
  ): Promise<readonly StoredVersion[]> {
    const holders = await this.read(scope, type, id);
    // Whatever number a client asks for: what is above the current version does not exist.
    const older = holders.filter((current) => current.version > version);
    const current = holders.filter((holder) => holder.version === version);
    if (older.length === 0) return current;
    const values = [
      int4Array(older.map(({ partition }) => partition)),
      int8Array(older.map(({ rowId }) => rowId)),
      version,
    ];
    const statement = { name: 'read superseded', text: READ_SQL.readSuperseded, values };
    return [...current, ...this.versions(await this.run(scope.partitions, [statement]))];
  }

  async history(scope: PartitionScope, query: HistoryQuery): Promise<readonly StoredVersion[]> {
    const shape = shapeOf(query);
    const text = historySql(shape);
    const { updated, rowId, version } = query.after ?? NEWEST;
    const page = [updated, rowId, version, query.count];
    let newest: readonly HistoryRow[] = [];
    const parts = await this.historyParts(scope, query);
    for (let from = 0; from < parts.length; from += PARTS_AT_ONCE) {
      const statements = parts
        .slice(from, from + PARTS_AT_ONCE)
        .map((part) =>
          historyStatement({ name: 'history', text }, shape, [...firstValues(part, query), ...page]),
        );
      const results = await this.run(scope.partitions, statements, { timeoutMs: this.parts.timeoutMs });
      const rows = results.flatMap((result) => result.rows) as unknown as readonly HistoryRow[];
      // Cut after each turn: with many partitions and types all of their first pages would not fit into memory.
      newest = [...newest, ...rows].toSorted(newestFirst).slice(0, query.count);
    }
    await this.parts.dictionary.knowTypes(newest.map((row) => row[3]));
    return newest.map((row) => ({ ...this.toStoredVersion(row), revives: row[9] !== null }));
  }

  async countHistory(scope: PartitionScope, query: HistoryQuery): Promise<number> {
    const shape = shapeOf(query);
    const text = historyCountSql(shape);
    let total = 0;
    for (const part of await this.historyParts(scope, query)) {
      const statement = historyStatement({ name: 'history count', text }, shape, firstValues(part, query));
      const [result] = await this.run([part.partition], [statement], { timeoutMs: this.parts.timeoutMs });
      total += result?.rows[0]?.[0] as number;
    }
    return total;
  }

  async write(unit: WriteUnit): Promise<void> {
    await this.parts.queue.write(unit);
    this.parts.statistics.note(unit.changes.length);
  }

  private run(
    scope: readonly PartitionId[],
    statements: readonly PgStatement[],
    options: ReadOptions = {},
  ): Promise<readonly PgResult[]> {
    return this.parts.connections.read(scope, statements, options);
  }

  /** Another server may have been the first to write the type. */
  private async typeId(type: string): Promise<number | undefined> {
    const { dictionary } = this.parts;
    return dictionary.typeId(type) ?? ((await dictionary.catchUp()) ? dictionary.typeId(type) : undefined);
  }

  private async historyParts(scope: PartitionScope, query: HistoryQuery): Promise<readonly HistoryPart[]> {
    if (query.type !== undefined && query.id !== undefined) {
      const holders = await this.read(scope, query.type, query.id);
      return holders.map(({ partition, rowId }) => ({ partition, target: rowId }));
    }
    const { dictionary } = this.parts;
    if (query.type === undefined) await dictionary.load();
    const typeIds = query.type === undefined ? dictionary.typeIds() : [await this.typeId(query.type)];
    return scope.partitions.flatMap((partition) =>
      typeIds.flatMap((target) => (target === undefined ? [] : { partition, target })),
    );
  }

  private versions([result]: readonly PgResult[]): readonly StoredVersion[] {
    const rows = (result?.rows ?? []) as unknown as readonly VersionRow[];
    return rows.map((row) => this.toStoredVersion(row));
  }

  private toStoredVersion(row: VersionRow | HistoryRow): StoredVersion {
    return {
      rowId: row[0],
      partition: row[1] as PartitionId,
      partitionDate: row[2],
      type: this.parts.dictionary.typeName(row[3]),
      id: row[4],
      version: row[5],
      updated: row[6],
      deleted: row[7] !== null,
      text: row[8],
    };
  }
}

function historyStatement(
  { name, text }: Pick<PgStatement, 'text'> & { readonly name: string },
  { target, window }: HistoryShape,
  values: readonly PgValue[],
): PgStatement {
  return { name: `${name} ${target} ${window}`, text, values };
}

function firstValues({ partition, target }: HistoryPart, { since, at }: HistoryQuery): readonly PgValue[] {
  return [partition, target, at?.high ?? END_OF_TIME, at ? at.low : (since ?? 0)];
}

function shapeOf(query: HistoryQuery): HistoryShape {
  return { target: query.id === undefined ? 'type' : 'instance', window: query.at ? 'at' : 'all' };
}

function newestFirst(a: HistoryRow, b: HistoryRow): number {
  return b[6] - a[6] || b[0] - a[0] || b[5] - a[5];
}
