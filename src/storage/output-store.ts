import type { Readable } from 'node:stream';
import type { PartitionId } from '../model/partition.js';

/** A file that is being written. Ends with `finish` or `abort`. */
export interface OutputFile {
  /** Resolves when more may be written: memory stays bounded. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves once every byte is kept for good under the key, and rejects otherwise. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Where the files of exports are kept. Keys begin with `p<partition id>/exports/<job>/`. */
export interface OutputStore {
  readonly kind: 'local' | 's3';
  create(key: string): Promise<OutputFile>;
  /** Size in bytes; undefined where there is no such file. */
  size(key: string): Promise<number | undefined>;
  /** Bytes `start` to `end`, both inclusive. */
  read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>;
  /** A URL by which anybody can read the file for `seconds`; undefined where the store has none. */
  presign?(key: string, seconds: number): Promise<string>;
  /** Removes all files of a job: finished, half written, or none. */
  removeJob(partition: PartitionId, job: string): Promise<void>;
  removePartition(partition: PartitionId): Promise<void>;
  /** Jobs of which there are files, finished or not. */
  jobs(): AsyncIterable<{ readonly partition: PartitionId; readonly job: string }>;
  /** Whether it can be written to, for the start of the server. @throws Error that says what is wrong */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Prefix of the keys of a job's files. */
export function jobPrefix(partition: PartitionId, job: string): string {
  return `p${partition}/exports/${job}/`;
}
