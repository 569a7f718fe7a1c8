import type { PartitionId } from '../../../model/partition.js';

/** Longest name of a database or schema, in bytes; PostgreSQL cuts longer ones off. */
export const LONGEST_NAME = 63;

/** The id as part of a name: `7`, `n7` for -7. */
export function idWord(partition: PartitionId): string {
  return partition < 0 ? `n${-partition}` : String(partition);
}

/** Schema of a partition: `bulkhead_p7`, `bulkhead_pn7` for the id -7. Made of the id alone, so no two are alike. */
export function schemaName(partition: PartitionId): string {
  return `bulkhead_p${idWord(partition)}`;
}

/**
 * Database of a partition, beside the main one: `clinic_p7`.
 * @throws Error where the main database's name is too long for that
 */
export function databaseName(main: string, partition: PartitionId): string {
  const name = `${main}_p${idWord(partition)}`;
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  throw new Error(`The name of the main database is too long: ${name} has more than ${LONGEST_NAME} bytes.`);
}

/** Name of the database in a URL; libpq takes the user's name where there is none. */
export function databaseOf(url: string): string {
  const { pathname, username } = new URL(url);
  return decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username);
}

/** The same URL with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(name)}`;
  return changed.href;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
