import type { LiteralReference } from '../../../fhir/references.js';
import type { PartitionId } from '../../../model/partition.js';
import type { Change, WriteUnit } from '../../store.js';
import { type PartitionCopies, prepareCopies } from '../copies.js';
import {
  diffValueRows,
  distinctRows,
  replacedValueRows,
  toLinkRows,
  toValueRows,
  type LinkRow,
  type ValueRow,
} from '../index-rows.js';
import { type ParamSet, writtenSet } from '../param-sets.js';
import { TimeSlice } from '../../time-slice.js';
import type { RowNames } from '../row-names.js';

/** A change with everything computed that needs no transaction. */
export interface PreparedChange {
  readonly change: Change;
  readonly rowId: number;
  readonly partition: PartitionId;
  readonly date: string | null;
  readonly typeId: number;
  readonly inserted: readonly ValueRow[];
  readonly deleted: readonly ValueRow[];
  readonly links: readonly LinkRow[];
  /** Null where it is not known, and for a deletion. */
  readonly params: ParamSet | null;
}

/** A unit whose rows are ready to be written. */
export interface PreparedUnit {
  readonly unit: WriteUnit;
  readonly changes: readonly PreparedChange[];
  readonly copies: readonly PartitionCopies[];
}

/** Makes the rows of a unit; all names in them are known when it returns. `rowIds`: one for each create. */
export async function prepareUnit(
  unit: WriteUnit,
  names: RowNames,
  rowIds: readonly number[],
): Promise<PreparedUnit> {
  const prepared = await prepareOnce(unit, names, rowIds);
  if (names.isComplete) return prepared;
  await names.settle();
  return prepareOnce(unit, names, rowIds);
}

async function prepareOnce(
  unit: WriteUnit,
  names: RowNames,
  rowIds: readonly number[],
): Promise<PreparedUnit> {
  const changes = await prepareChanges(unit.changes, names, rowIds);
  return { unit, changes, copies: await prepareCopies(names, unit.copies, changes) };
}

async function prepareChanges(
  changes: readonly Change[],
  names: RowNames,
  rowIds: readonly number[],
): Promise<readonly PreparedChange[]> {
  const slice = new TimeSlice();
  const prepared: PreparedChange[] = [];
  let created = 0;
  for (const change of changes) {
    const rowId = change.kind === 'create' ? rowIds[created++]! : change.current.rowId;
    prepared.push(prepare(change, names, rowId));
    if (slice.isOver()) await slice.yield();
  }
  return prepared;
}

function prepare(change: Change, names: RowNames, rowId: number): PreparedChange {
  const type = change.kind === 'delete' ? change.current.type : change.type;
  const typeId = names.ensureType(type);
  if (change.kind === 'create') {
    const { partition, date } = change.assignment;
    return { change, rowId, partition, date, typeId, deleted: [], ...newRows(change, names) };
  }
  const { partition, partitionDate: date } = change.current;
  const before = change.previousIndex === null ? [] : replacedValueRows(names, type, change.previousIndex);
  if (change.kind === 'delete') {
    return { change, rowId, partition, date, typeId, inserted: [], deleted: before, links: [], params: null };
  }
  const { inserted, links, params } = newRows(change, names);
  return { change, rowId, partition, date, typeId, links, params, ...diffValueRows(before, inserted) };
}

function newRows(
  change: Exclude<Change, { kind: 'delete' }>,
  names: RowNames,
): Pick<PreparedChange, 'inserted' | 'links' | 'params'> {
  const { type, index, references } = change;
  // Index tables have no key that would refuse a row that is there already.
  const inserted = distinctRows(toValueRows(names, type, index));
  const links = distinctLinks(toLinkRows(names, type, index, references));
  return { inserted, links, params: writtenSet(inserted, links, (target) => names.findType(target)) };
}

function distinctLinks(links: readonly LinkRow[]): readonly LinkRow[] {
  return [...new Map(links.map((link) => [linkKey(link), link])).values()];
}

function linkKey({ paramId, target, url }: LinkRow): string {
  return target === null ? `${paramId} ${url}` : `${paramId} ${target.type}/${target.id}`;
}

/** The reference in a resource's text that a link came from. */
export function referenceOf(change: Change, target: { type: string; id: string }): LiteralReference {
  const references: readonly LiteralReference[] = change.kind === 'delete' ? [] : change.references;
  const found = references.find(({ type, id }) => type === target.type && id === target.id);
  return found ?? { ...target, expression: change.kind };
}
