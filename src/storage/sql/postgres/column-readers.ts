import pg from 'pg';

/** Makes a value of PostgreSQL's text. */
export type ColumnReader = (text: string) => unknown;

const { builtins } = pg.types;

const asText: ColumnReader = (text) => text;
const asNumber: ColumnReader = (text) => Number(text);
const HEX_PREFIX = 2;

/** Whole numbers fit: row ids and milliseconds stay far below 2^53. */
const READERS: ReadonlyMap<number, ColumnReader> = new Map<number, ColumnReader>([
  [builtins.INT2, asNumber],
  [builtins.INT4, asNumber],
  [builtins.INT8, asNumber],
  [builtins.FLOAT4, asNumber],
  [builtins.FLOAT8, asNumber],
  [builtins.NUMERIC, asNumber],
  [builtins.BOOL, (text) => text === 't'],
  [builtins.BYTEA, (text) => Buffer.from(text.slice(HEX_PREFIX), 'hex')],
]);

/** Numbers as numbers, booleans, bytes as Buffer, and everything else (dates too) as PostgreSQL writes it. */
export function columnReader(typeId: number): ColumnReader {
  return READERS.get(typeId) ?? asText;
}
