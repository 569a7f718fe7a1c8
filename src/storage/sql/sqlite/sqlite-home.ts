import { statSync } from 'node:fs';
import type { Home } from '../../placement/home.js';
import type { StorageOptions } from '../../storage.js';
import type { Dictionary } from '../dictionary.js';
import { SqlLabelStore } from '../labels.js';
import { SqlSearchStore } from '../search-store.js';
import type { Allocator } from './allocator.js';
import { ArrivalWriter } from './arrival-writer.js';
import type { Checkpointer } from './checkpointer.js';
import type { SqliteDatabase } from './open.js';
import type { ExportThread } from './export-thread.js';
import { LogSync } from './log-sync.js';
import { ReindexWriter } from './reindex-writer.js';
import type { ReaderPool } from './reader-pool.js';
import { SqliteBlobs } from './sqlite-blobs.js';
import type { SnapshotThreads } from './snapshot-threads.js';
import { SqliteCopies } from './sqlite-copies.js';
import { SqliteExports } from './sqlite-exports.js';
import { SqliteReader } from './sqlite-reader.js';
import { SqliteResources } from './sqlite-resources.js';
import { SqliteUsage } from './sqlite-usage.js';
import { SqliteRows } from './sqlite-rows.js';
import { UnitWriter } from './unit-writer.js';
import { WriteQueue } from './write-queue.js';

/** What all homes of a server share. */
export interface SharedParts {
  readonly dictionary: Dictionary;
  readonly readers: ReaderPool;
  readonly checkpointer: Checkpointer;
  /** For what exports read. */
  readonly exporting: ExportThread;
  readonly snapshots: SnapshotThreads;
  readonly options: StorageOptions;
}

/** The two connections of one file. */
export interface SqliteFile {
  readonly reader: SqliteDatabase;
  readonly writer: SqliteDatabase;
}

/** The queue that writes to a file; from now on it does the waiting for other processes. */
export function openQueue(
  { writer }: SqliteFile,
  { dictionary, options }: Pick<SharedParts, 'dictionary' | 'options'>,
  allocator: Pick<Allocator, 'takeRowIds' | 'addNames' | 'renewRowIds'>,
): WriteQueue {
  const units = new UnitWriter(writer, dictionary, options);
  writer.pragma('busy_timeout = 1');
  const log = new LogSync(writer.name, options.synchronous);
  return new WriteQueue(writer, { writer: units, dictionary, allocator, log });
}

/** A file as a home. */
export function sqliteHome(
  file: SqliteFile,
  { dictionary, readers, checkpointer, exporting, snapshots, options }: SharedParts,
  {
    queue,
    allocator,
    holds,
  }: {
    readonly queue: WriteQueue;
    readonly allocator: Pick<Allocator, 'addNames'>;
    /** Whether jobs stand in the same file, or only resources do. */
    readonly holds: 'jobs' | 'resources';
  },
): Home {
  const { reader, writer } = file;
  const sqlReader = new SqliteReader(reader, readers);
  const inode = inodeOf(writer.name);
  checkpointer.watch(writer.name);
  return {
    resources: new SqliteResources(reader, { dictionary, queue, reader: sqlReader }),
    search: new SqlSearchStore(sqlReader, dictionary),
    labels: new SqlLabelStore(sqlReader, dictionary),
    blobs: new SqliteBlobs(reader, queue, options.newBlobId),
    rows: new SqliteRows(reader, {
      queue,
      dictionary,
      arrivals: new ArrivalWriter(queue, dictionary, allocator),
      reindex: new ReindexWriter({
        // The job's progress is committed after it, to the same file.
        transact: (work) => (holds === 'jobs' ? queue.lateTransaction(work) : queue.transaction(work)),
        dictionary,
        allocator,
      }),
      reader: sqlReader,
      copies: new SqliteCopies(reader, { queue, dictionary, allocator }),
      usage: new SqliteUsage(reader, { file: writer.name, queue, snapshots }),
    }),
    exports: new SqliteExports(writer.name, { queue, dictionary, thread: exporting, snapshots }),
    isInPlace: () => inodeOf(writer.name) === inode,
    close: async () => {
      await queue.close();
      await checkpointer.retire(writer.name);
      reader.close();
      writer.close();
    },
  };
}

/** A file that was removed stays readable for whoever has it open, and so does its number; undefined: none is there. */
function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}
