import type { Statement } from 'better-sqlite3';
import type { PartitionId } from '../../../model/partition.js';
import type { Arrival } from '../../placement/home.js';
import type { Dictionary } from '../dictionary.js';
import {
  diffValueRows,
  replacedValueRows,
  toValueRows,
  type ValueRow,
  type ValueTable,
} from '../index-rows.js';
import { movedLinkTypes, type ParamSet, toParamSet } from '../param-sets.js';
import { RowNames } from '../row-names.js';
import type { Allocator } from './allocator.js';
import { MOVE_SQL } from './move-sql.js';
import type { SqliteDatabase } from './open.js';
import { ParamSetWriter } from './param-set-writer.js';
import { KEY_COLUMNS, prepareAll, VALUE_SQL } from './statements.js';
import type { WriteQueue } from './write-queue.js';

/** An arrival with the index rows that differ from what is there. */
interface PreparedArrival {
  readonly arrival: Arrival;
  readonly inserted: readonly ValueRow[];
  readonly deleted: readonly ValueRow[];
  /** Null for a deletion. */
  readonly params: ParamSet | null;
}

type Statements = Readonly<Record<keyof typeof MOVE_SQL, Statement>>;
type ValueStatements = Readonly<Record<ValueTable, Statement>>;

/** Writes resources that come from another home. */
export class ArrivalWriter {
  constructor(
    private readonly queue: WriteQueue,
    private readonly dictionary: Dictionary,
    private readonly allocator: Pick<Allocator, 'addNames'>,
  ) {}

  /** One transaction. */
  async write(partition: PartitionId, arrivals: readonly Arrival[]): Promise<void> {
    const names = new RowNames(this.dictionary, (added) => this.allocator.addNames(added));
    let prepared = arrivals.map((arrival) => prepareArrival(names, arrival));
    if (!names.isComplete) {
      await names.settle();
      prepared = arrivals.map((arrival) => prepareArrival(names, arrival));
    }
    await this.queue.transaction((db) => {
      const write = writerOf(db);
      for (const one of prepared) write(partition, one);
    });
  }
}

function prepareArrival(names: RowNames, arrival: Arrival): PreparedArrival {
  const { type, index, previousIndex, links } = arrival;
  const next = index === null ? [] : toValueRows(names, type, index);
  const previous = previousIndex === null ? [] : replacedValueRows(names, type, previousIndex);
  const params = index === null ? null : toParamSet(next, movedLinkTypes(links));
  return { arrival, params, ...diffValueRows(previous, next) };
}

function writerOf(db: SqliteDatabase): (partition: PartitionId, prepared: PreparedArrival) => void {
  const sql: Statements = prepareAll(db, MOVE_SQL);
  const kinds = Object.entries(VALUE_SQL);
  const inserts: ValueStatements = prepareAll(
    db,
    Object.fromEntries(kinds.map(([kind, { insert }]) => [kind, insert])),
  );
  const deletes: ValueStatements = prepareAll(
    db,
    Object.fromEntries(kinds.map(([kind, texts]) => [kind, texts.delete])),
  );
  const sets = new ParamSetWriter(db);
  return (partition, { arrival, inserted, deleted, params }) => {
    const { rowId, resource, links, claims } = arrival;
    const [, , date, typeId, , version] = resource;
    sql.addResource.run(...resource);
    sets.set({ partition, typeId: Number(typeId), rowId, version: Number(version) }, params);
    for (const { table, columns } of deleted) {
      deletes[table].run(partition, ...columns.slice(0, KEY_COLUMNS[table]), rowId);
    }
    for (const { table, columns } of inserted) inserts[table].run(partition, date, ...columns, rowId);
    sql.removeLinks.run(partition, rowId);
    for (const link of links) sql.addLink.run(...link);
    sql.removeClaims.run(partition, rowId);
    for (const claim of claims) sql.addClaim.run(...claim);
  };
}
