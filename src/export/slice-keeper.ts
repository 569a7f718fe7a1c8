import type { ExportFile } from '../storage/export-store.js';
import type { WrittenSlice } from './export-slice.js';

/** Stores that a slice was made, with its files, which are finished; removes them where it is sure that it was not. */
export type SaveSlice = (slice: WrittenSlice, files: readonly ExportFile[]) => Promise<void>;

/** Finishes the files of slices and saves them, one slice after the other, while the next one is read. */
export class SliceKeeper {
  private keeping: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly save: SaveSlice) {}

  /** @throws what a slice could not be kept for: there is no point in going on with the next */
  check(): void {
    if (this.failure) throw this.failure.error;
  }

  /** Resolves when the slice before is saved. @throws what that one could not be kept for; nothing is left of this one */
  async keep(slice: WrittenSlice): Promise<void> {
    try {
      await this.keeping;
    } catch (error) {
      await slice.files.abort();
      throw error;
    }
    this.keeping = this.finish(slice);
    this.keeping.catch((error: unknown) => {
      this.failure = { error };
    });
  }

  /** Resolves when all of them are saved. @throws what one could not be kept for */
  async saved(): Promise<void> {
    await this.keeping;
  }

  private async finish(slice: WrittenSlice): Promise<void> {
    await this.save(slice, await finished(slice));
  }
}

async function finished({ files }: WrittenSlice): Promise<readonly ExportFile[]> {
  try {
    return await files.finish();
  } catch (error) {
    await files.abort();
    throw error;
  }
}
