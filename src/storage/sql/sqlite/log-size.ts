import { statSync } from 'node:fs';

/** Size of a write-ahead log from which it is copied into the database, in bytes. */
export const COPY_BYTES = 64 * 2 ** 20;
/** How often logs are looked at, in milliseconds. */
export const CHECK_INTERVAL_MS = 500;

/** Bytes of a file's write-ahead log. */
export function logBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
