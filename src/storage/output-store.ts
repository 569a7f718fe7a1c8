import type { Readable } from 'node:stream';
import type { PartitionId } from '../model/partition.js';

/** A file that is being written, by one call at a time. Ends with `finish` or `abort`, or when any call rejects. */
export interface OutputFile {
  /** Resolves when the bytes may be changed, and more may be written: memory stays bounded. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves once every byte is kept for good under the key; otherwise rejects and leaves nothing behind. */
  finish(): Promise<void>;
  /** Leaves nothing behind. Does nothing where the file has ended. */
  abort(): Promise<void>;
}

/** Where the files of exports are kept. Keys begin with `p<partition id>/exports/<job>/`. */
export interface OutputStore {
  readonly kind: 'local' | 's3';
  /** A key is for one file: whoever makes another under it takes the place of the first. @throws Error for no key */
  create(key: string): Promise<OutputFile>;
  /** Size in bytes; undefined where there is no such file. */
  size(key: string): Promise<number | undefined>;
  /** Bytes `start` to `end`, both inclusive. */
  read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>;
  /** A URL by which anybody can read the file for `seconds`; undefined where the store has none. */
  presign?(key: string, seconds: number): Promise<string>;
  /** Keys of the files of a job that are finished. */
  keys(partition: PartitionId, job: string): AsyncIterable<string>;
  /** Removes a finished file; nothing happens where there is none. */
  remove(key: string): Promise<void>;
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
