import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { PartitionId } from '../../model/partition.js';
import type { OutputFile, OutputStore } from '../output-store.js';
import {
  checkedJobPrefix,
  isJobSegment,
  isOutputKey,
  parseOutputKey,
  partitionOfSegment,
} from './output-key.js';
import { type FileWriter, StrictFile } from './strict-file.js';

/** Patients' data: for the server's own user alone. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** `kept` stays; `temporary` is removed when the store is closed. */
export type FolderLife = 'kept' | 'temporary';

/**
 * Files of exports in a folder. What stands under a key is whole and on the disk: a file is written under another name,
 * which no key can be, and is renamed at the end. Servers of one installation need a folder that all of them see.
 */
export class LocalOutput implements OutputStore {
  readonly kind = 'local';
  private readonly folder: string;

  constructor(
    folder: string,
    private readonly life: FolderLife,
  ) {
    this.folder = resolve(folder);
  }

  async create(key: string): Promise<OutputFile> {
    const path = this.path(key);
    const folder = dirname(path);
    await makeFolder(folder);
    const temporary = join(folder, `.${randomUUID()}.part`);
    const handle = await open(temporary, 'wx', FILE_MODE);
    return new StrictFile(key, new LocalWriter(handle, temporary, path));
  }

  async size(key: string): Promise<number | undefined> {
    const found = await stat(this.path(key)).catch(undefinedWhereMissing);
    return found?.isFile() ? found.size : undefined;
  }

  async read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    const handle = await open(this.path(key), 'r');
    return handle.createReadStream(range);
  }

  async *keys(partition: PartitionId, job: string): AsyncGenerator<string> {
    const prefix = checkedJobPrefix(partition, job);
    const entries = (await readdir(join(this.folder, prefix)).catch(undefinedWhereMissing)) ?? [];
    for (const name of entries) if (isOutputKey(prefix + name)) yield prefix + name;
  }

  async remove(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  async removeJob(partition: PartitionId, job: string): Promise<void> {
    await removeTree(join(this.folder, checkedJobPrefix(partition, job)));
  }

  async removePartition(partition: PartitionId): Promise<void> {
    const own = join(this.folder, `p${partition}`);
    await removeTree(join(own, 'exports'));
    await rmdir(own).catch(undefinedWhereGone);
  }

  async *jobs(): AsyncGenerator<{ readonly partition: PartitionId; readonly job: string }> {
    for (const own of await foldersIn(this.folder)) {
      const partition = partitionOfSegment(own);
      if (partition === undefined) continue;
      for (const job of await foldersIn(join(this.folder, own, 'exports')))
        if (isJobSegment(job)) yield { partition, job };
    }
  }

  async check(): Promise<void> {
    try {
      await makeFolder(this.folder);
      const probe = join(this.folder, `.${randomUUID()}.probe`);
      const handle = await open(probe, 'wx', FILE_MODE);
      await handle.close();
      await rm(probe);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new Error(`Exports cannot be written to the folder ${this.folder}: ${reason}`, { cause });
    }
  }

  async close(): Promise<void> {
    if (this.life === 'temporary') await removeTree(this.folder);
  }

  private path(key: string): string {
    const { partition, job, name } = parseOutputKey(key);
    return join(this.folder, checkedJobPrefix(partition, job), name);
  }
}

/** What is handed to the disk while more is being made, so that little is left to wait for at the end. */
const FLUSHED_BYTES = 8 * 2 ** 20;
/** The system copies it in one go, on a core that others may wait for. */
const WRITTEN_AT_ONCE = 2 ** 20;

class LocalWriter implements FileWriter {
  private renamed = false;
  private unflushed = 0;
  /** Never rejects. */
  private flushing: Promise<void> | undefined;
  /** The system tells of what the disk refused once, to whoever asks first. */
  private refusal: { readonly error: unknown } | undefined;

  constructor(
    private readonly handle: FileHandle,
    private readonly temporary: string,
    private readonly path: string,
  ) {}

  async append(chunk: Uint8Array): Promise<void> {
    // A disk that is nearly full takes a part of it, and refuses the rest.
    for (let at = 0; at < chunk.length;)
      at += (await this.handle.write(chunk, at, Math.min(WRITTEN_AT_ONCE, chunk.length - at))).bytesWritten;
    this.unflushed += chunk.length;
    if (this.unflushed >= FLUSHED_BYTES) this.flush();
    this.assertTaken();
  }

  async keep(): Promise<void> {
    await this.flushing;
    this.assertTaken();
    await this.handle.sync();
    await this.handle.close();
    this.renamed = true;
    await rename(this.temporary, this.path);
    await syncFolder(dirname(this.path));
  }

  async discard(): Promise<void> {
    await this.flushing;
    // The descriptor is gone even where closing reports what the disk refused, and the file goes anyway.
    await this.handle.close().catch(() => undefined);
    await rm(this.temporary, { force: true });
    if (this.renamed) await rm(this.path, { force: true });
  }

  private flush(): void {
    if (this.flushing) return;
    this.unflushed = 0;
    const done = (): void => {
      this.flushing = undefined;
    };
    this.flushing = this.handle.datasync().then(done, (error: unknown) => {
      this.refusal = { error };
      done();
    });
  }

  private assertTaken(): void {
    if (this.refusal) throw this.refusal.error;
  }
}

/** Makes a folder that a power cut does not take away: each new one is kept by the folder that it is in. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Nothing to remove is fine; what somebody adds meanwhile goes too. */
async function removeTree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(undefinedWhereMissing)) ?? [];
  return entries.filter((entry: Dirent) => entry.isDirectory()).map(({ name }) => name);
}

function undefinedWhereMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

/** A folder that is removed only when it is empty. */
function undefinedWhereGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') undefinedWhereMissing(error);
}
