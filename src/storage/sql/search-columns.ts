import type { Knex } from 'knex';
import type { OrderColumn } from './search-order.js';
import type { RowSql } from './search-rows.js';
import type { PlanShape } from './search-shape.js';

/**
 * The columns that begin every row. PARTITION_ID follows where rows of several partitions come together, then
 * RES_TYPE_ID where they are of several types, then the row's key: what is known beforehand is not read.
 */
export const ROW_COLUMNS = [
  'RES_ID',
  'PARTITION_DATE',
  'FHIR_ID',
  'RES_VER',
  'RES_UPDATED',
  'RES_TEXT',
] as const;

/** The columns of rows from an alias of HFJ_RESOURCE, without a key; see `ROW_COLUMNS`. */
export function rowColumns(
  alias: string,
  { dialect: { knex, days }, tables, texts }: RowSql,
  types: 'one' | 'any',
): (string | Knex.Raw)[] {
  const own = ROW_COLUMNS.map((column) => {
    if (column === 'PARTITION_DATE') return knex.raw(days(`${alias}.${column}`));
    return column === 'RES_TEXT' && texts === 'left out'
      ? knex.raw(`'' as ??`, column)
      : `${alias}.${column}`;
  });
  if (tables.plural) own.push(`${alias}.PARTITION_ID`);
  if (types === 'any') own.push(`${alias}.RES_TYPE_ID`);
  return own;
}

/** Whether each row tells its type. */
export function typesOf({ several }: PlanShape): 'one' | 'any' {
  return several ? 'any' : 'one';
}

/** The columns of a row's key; none where the row id, which every row has, is the only one. */
export function keyColumns(order: readonly OrderColumn[]): readonly string[] {
  return order.length === 1 ? [] : order.map(({ column }) => column);
}
