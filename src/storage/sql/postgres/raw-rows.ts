import { MOVED_COLUMNS, type RawRow } from '../../placement/home.js';
import { byteaArray, int4Array, int8Array, textArray } from './binary-array.js';
import { movedTypes, type MovedTable, type MovedType } from './move-sql.js';
import type { PgStatement } from './statement.js';

/** An insert of rows as they were read from another home. */
export function rawRows(table: MovedTable, text: string, rows: readonly RawRow[]): PgStatement {
  const values = movedTypes(table).map((type, index) => toArray(type, rows, index));
  return { text, values };
}

/** Where a table's row says which partition it belongs to. */
export function partitionColumn(table: MovedTable): number {
  return MOVED_COLUMNS[table].split(', ').indexOf('PARTITION_ID');
}

function toArray(type: MovedType, rows: readonly RawRow[], index: number): Buffer {
  const column = rows.map((row) => row[index] ?? null);
  switch (type) {
    case 'integer':
      return int4Array(column as number[]);
    case 'bigint':
      return int8Array(column as (number | null)[]);
    case 'bytea':
      return byteaArray(column as Buffer[]);
    case 'date':
    case 'text':
      return textArray(column as (string | null)[]);
  }
}
