import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { PartitionId } from '../../../src/model/partition.js';
import { type OutputStore, jobPrefix } from '../../../src/storage/output-store.js';
import type { OutputOptions } from '../../../src/storage/output/open-output.js';
import { findS3Server, namedS3, S3Server } from '../../support/s3-server.js';

/** A partition's id. */
export function partitionId(id: number): PartitionId {
  return id as PartitionId;
}

/** A job that nobody else has. */
export function newJob(partition = partitionId(1)) {
  const job = randomUUID();
  return { partition, job, key: (name: string) => `${jobPrefix(partition, job)}${name}` };
}

/** Stores of one kind, and their end. */
export interface Place {
  /** Of a store that nobody else uses. */
  options(): Promise<OutputOptions>;
  close(): void;
}

export const PLACES: Readonly<
  Record<OutputStore['kind'], { readonly here: boolean; open(): Promise<Place> }>
> = {
  local: { here: true, open: openFolder },
  s3: { here: namedS3() !== undefined || findS3Server() !== undefined, open: openS3 },
};

async function openFolder(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-output-'));
  return {
    options: () => Promise.resolve({ kind: 'local', folder: join(folder, randomUUID()) }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function openS3(): Promise<Place> {
  const server = namedS3() === undefined ? await S3Server.create() : undefined;
  return {
    options: async () => ({ kind: 's3', ...((await server?.createBucket()) ?? namedS3()!) }),
    close: () => server?.stop(),
  };
}

/** Writes a file in one go. */
export async function writeFile(
  store: OutputStore,
  key: string,
  ...chunks: readonly Uint8Array[]
): Promise<void> {
  const file = await store.create(key);
  for (const chunk of chunks) await file.write(chunk);
  await file.finish();
}

/** All of a file, or a part of it. */
export async function readFile(
  store: OutputStore,
  key: string,
  range?: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  return buffer(await store.read(key, range));
}

/** What `jobs()` lists, as `partition/job`, in order. */
export async function listJobs(store: OutputStore): Promise<readonly string[]> {
  const jobs: string[] = [];
  for await (const { partition, job } of store.jobs()) jobs.push(`${partition}/${job}`);
  return jobs.toSorted();
}

/** Bytes that differ from place to place. */
export function someBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0, word = seed; at < size; at++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = word >>> 16;
  }
  return bytes;
}
