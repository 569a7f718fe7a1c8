import { mkdir, open, readdir, rename, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileName } from '../../export/manifest.js';
import type { ExportFile } from '../../storage/export-store.js';
import { LocalOutput } from '../../storage/output/local-output.js';
import type { OutputStore } from '../../storage/output-store.js';
import { CommandError } from '../command-error.js';
import { UNFINISHED, unfinishedMessage } from '../unfinished-export.js';
import { ZippedOutput } from './zipped-output.js';

/** Whether files are packed. */
export type Packing = 'plain' | 'gzip';

const MANIFEST = 'manifest.json';
/** Patients' data: for the user's own eyes. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** The folder that an export goes to. Its files come to stand there when all of them are whole, the manifest last. */
export class ExportFolder {
  /** Where files are while the export goes on. */
  readonly output: OutputStore;
  private readonly unfinished: string;
  private readonly packing: Packing;
  private readonly isNew: boolean;

  private constructor(
    private readonly path: string,
    { packing, isNew }: { readonly packing: Packing; readonly isNew: boolean },
  ) {
    this.packing = packing;
    this.isNew = isNew;
    this.unfinished = join(path, UNFINISHED);
    const output = new LocalOutput(this.unfinished, 'temporary');
    this.output = packing === 'gzip' ? new ZippedOutput(output) : output;
  }

  /** Makes the folder where there is none. @throws CommandError for one that is not empty */
  static async prepare(
    given: string,
    { cwd, packing }: { readonly cwd: string; readonly packing: Packing },
  ): Promise<ExportFolder> {
    const path = resolve(cwd, given);
    try {
      const made = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
      const present = await readdir(path);
      if (present.includes(UNFINISHED)) throw new CommandError(unfinishedMessage(given));
      if (present.length > 0)
        throw new CommandError(`${given} is not empty: an export needs a folder of its own.`);
      await mkdir(join(path, UNFINISHED), { mode: FOLDER_MODE });
      return new ExportFolder(path, { packing, isNew: made !== undefined });
    } catch (cause) {
      if (cause instanceof CommandError) throw cause;
      throw new CommandError(`${given} cannot be written to: ${(cause as Error).message}`, { cause });
    }
  }

  /** Gives the files their names, and writes the manifest: whoever finds one has all of the export. */
  async finish(files: readonly ExportFile[], manifest: object): Promise<void> {
    for (const file of files) await rename(join(this.unfinished, file.key), this.pathOf(file));
    const written = join(this.unfinished, MANIFEST);
    const handle = await open(written, 'wx', FILE_MODE);
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await syncFolder(this.path);
    await rename(written, join(this.path, MANIFEST));
    await syncFolder(this.path);
    await this.output.close();
  }

  /** In the folder. */
  nameOf(file: ExportFile): string {
    return this.packing === 'gzip' ? `${fileName(file)}.gz` : fileName(file);
  }

  /** Of a file that has its name. */
  pathOf(file: ExportFile): string {
    return join(this.path, this.nameOf(file));
  }

  /** Leaves the folder as it was. */
  async discard(): Promise<void> {
    await this.output.close();
    if (this.isNew) await rmdir(this.path);
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
}
