import type { PartitionId } from '../../../model/partition.js';
import type { Arrival } from '../../placement/home.js';
import { diffValueRows, distinctRows, replacedValueRows, toValueRows } from '../index-rows.js';
import { movedLinkTypes, type ParamSet, toParamSet } from '../param-sets.js';
import { int8Array } from './binary-array.js';
import { valueArrays, type OwnedRows } from './change-arrays.js';
import { MOVE_SQL } from './move-sql.js';
import { setParams } from './param-set-arrays.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { rawRows } from './raw-rows.js';
import { RowNames } from '../row-names.js';
import type { PgStatement } from './statement.js';
import { WRITE_SQL } from './write-sql.js';

/** An arrival with the index rows that differ from what is there. */
interface PreparedArrival {
  readonly arrival: Arrival;
  readonly inserted: OwnedRows['rows'];
  readonly deleted: OwnedRows['rows'];
  /** Null for a deletion. */
  readonly params: ParamSet | null;
}

/** Statements that write resources which come from another home, with everything that hangs on them. */
export async function arrivalStatements(
  dictionary: PostgresDictionary,
  partition: PartitionId,
  arrivals: readonly Arrival[],
): Promise<readonly PgStatement[]> {
  const names = new RowNames(dictionary, (added) => dictionary.add(added));
  let prepared = arrivals.map((arrival) => prepare(names, arrival));
  if (!names.isComplete) {
    await names.settle();
    prepared = arrivals.map((arrival) => prepare(names, arrival));
  }
  const rowIds = [partition, int8Array(arrivals.map(({ rowId }) => rowId))];
  return [
    rawRows(
      'HFJ_RESOURCE',
      MOVE_SQL.addResources,
      arrivals.map(({ resource }) => resource),
    ),
    ...valueStatements(partition, prepared),
    paramSets(partition, prepared),
    { text: MOVE_SQL.removeLinks, values: rowIds },
    rawRows(
      'HFJ_RES_LINK',
      MOVE_SQL.addLinks,
      arrivals.flatMap(({ links }) => links),
    ),
    { text: MOVE_SQL.removeClaims, values: rowIds },
    rawRows(
      'HFJ_RES_SEARCH_URL',
      MOVE_SQL.addClaims,
      arrivals.flatMap(({ claims }) => claims),
    ),
  ];
}

function prepare(names: RowNames, arrival: Arrival): PreparedArrival {
  const { type, index, previousIndex, links } = arrival;
  const next = index === null ? [] : distinctRows(toValueRows(names, type, index));
  const previous = previousIndex === null ? [] : replacedValueRows(names, type, previousIndex);
  const params = index === null ? null : toParamSet(next, movedLinkTypes(links));
  return { arrival, params, ...diffValueRows(previous, next) };
}

function paramSets(partition: PartitionId, arrivals: readonly PreparedArrival[]): PgStatement {
  const resources = arrivals.map(({ arrival: { rowId, resource }, params }) => {
    const [, , , typeId, , version] = resource;
    return { rowId, typeId: Number(typeId), version: Number(version), params };
  });
  return setParams(partition, resources);
}

/** One statement for each partition date among the arrivals. */
function valueStatements(
  partition: PartitionId,
  arrivals: readonly PreparedArrival[],
): readonly PgStatement[] {
  const byDate = Map.groupBy(arrivals, ({ arrival }) => arrival.resource[2] as string | null);
  return [...byDate].map(([date, group]) => ({
    text: WRITE_SQL.replaceValues,
    values: [
      partition,
      date,
      ...valueArrays(
        'keys',
        group.map(({ arrival, deleted }) => ({ rowId: arrival.rowId, rows: deleted })),
      ),
      ...valueArrays(
        'rows',
        group.map(({ arrival, inserted }) => ({ rowId: arrival.rowId, rows: inserted })),
      ),
    ],
  }));
}
