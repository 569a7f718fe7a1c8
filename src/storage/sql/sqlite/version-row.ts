import type { PartitionId } from '../../../model/partition.js';
import { fromStoredDate } from '../../partition-date.js';
import type { StoredVersion } from '../../store.js';
import type { Dictionary } from '../dictionary.js';

/** VERSION_COLUMNS as SQLite returns them. */
export type VersionRow = readonly [
  rowId: number,
  partition: number,
  partitionDate: number | null,
  typeId: number,
  id: string,
  version: number,
  updated: number,
  deletedAt: number | null,
  text: string | null,
];

/** The same in a history, with the time of the deletion that the version follows. */
export type HistoryRow = readonly [...VersionRow, deletedBefore: number | null];

/** KEYED_COLUMNS as SQLite returns them. */
export type KeyedRow = readonly [
  rowId: number,
  partitionDate: number | null,
  version: number,
  updated: number,
  deletedAt: number | null,
  text: string | null,
];

export function toStoredVersion(dictionary: Dictionary, row: VersionRow | HistoryRow): StoredVersion {
  return {
    rowId: row[0],
    partition: row[1] as PartitionId,
    partitionDate: fromStoredDate(row[2]),
    type: dictionary.typeName(row[3]),
    id: row[4],
    version: row[5],
    updated: row[6],
    deleted: row[7] !== null,
    text: row[8],
  };
}

export function toHistoryVersion(dictionary: Dictionary, row: HistoryRow): StoredVersion {
  return { ...toStoredVersion(dictionary, row), revives: row[9] !== null };
}
