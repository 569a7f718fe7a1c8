import type { PartitionId } from '../../../model/partition.js';
import { toStoredDate } from '../../partition-date.js';
import type { Change, DeleteChange } from '../../store.js';
import {
  diffValueRows,
  type LinkRow,
  replacedValueRows,
  toLinkRows,
  toValueRows,
  type ValueRow,
} from '../index-rows.js';
import { type ParamSet, writtenSet } from '../param-sets.js';
import type { RowNames } from '../row-names.js';

/** A change with everything computed that needs no transaction. */
export interface PreparedChange {
  readonly change: Change;
  readonly rowId: number;
  readonly partition: PartitionId;
  /** Days since 1970, or null. */
  readonly date: number | null;
  readonly typeId: number;
  readonly inserted: readonly ValueRow[];
  readonly deleted: readonly ValueRow[];
  readonly links: readonly LinkRow[];
  /** Null where it is not known, and for a deletion. */
  readonly params: ParamSet | null;
}

/** Computes the rows of a change; `newRowId` is a create's. */
export function prepareChange(names: RowNames, change: Change, newRowId: () => number): PreparedChange {
  if (change.kind === 'delete') return prepareDelete(names, change);
  const { type, index, references } = change;
  const typeId = names.ensureType(type);
  const rows = toValueRows(names, type, index);
  const links = toLinkRows(names, type, index, references);
  const params = writtenSet(rows, links, (target) => names.findType(target));
  if (change.kind === 'create') {
    const { partition, date: day } = change.assignment;
    const date = toStoredDate(day);
    const rowId = newRowId();
    return { change, rowId, partition, date, typeId, inserted: rows, deleted: [], links, params };
  }
  const { current, previousIndex } = change;
  const { partition, rowId } = current;
  const before = previousIndex ? replacedValueRows(names, type, previousIndex) : [];
  const date = toStoredDate(current.partitionDate);
  return { change, rowId, partition, date, typeId, links, params, ...diffValueRows(before, rows) };
}

function prepareDelete(names: RowNames, change: DeleteChange): PreparedChange {
  const { type, partition, rowId, partitionDate } = change.current;
  return {
    change,
    rowId,
    partition,
    date: toStoredDate(partitionDate),
    typeId: names.ensureType(type),
    inserted: [],
    deleted: replacedValueRows(names, type, change.previousIndex),
    links: [],
    params: null,
  };
}
