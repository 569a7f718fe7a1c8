import type { ExportClaim, ExportFile } from '../storage/export-store.js';
import { jobPrefix, type OutputFile, type OutputStore } from '../storage/output-store.js';

/** What a part holds, and its number within that. */
export type PartName = Pick<ExportFile, 'kind' | 'type' | 'part'>;

/** Files could not be written: not the fault of what was to be written. */
export class OutputError extends Error {
  override readonly name = 'OutputError';

  constructor(cause: unknown) {
    super('A file of an export could not be written.', { cause });
  }
}

/** One file that is being written. */
export class PartWriter {
  private bytes = 0;
  private count = 0;
  /** What was written last: more is read meanwhile. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: OutputFile,
    private readonly name: PartName,
    private readonly key: string,
  ) {}

  /** The token is in the key: whoever lost the claim and does not know yet writes elsewhere. @throws OutputError */
  static async create(output: OutputStore, { job, token }: ExportClaim, name: PartName): Promise<PartWriter> {
    const { kind, type, part } = name;
    const key = `${jobPrefix(job.partition, job.id)}${token}-${kind}-${type}-${part}.ndjson`;
    return new PartWriter(await written(output.create(key)), name, key);
  }

  get size(): number {
    return this.bytes;
  }

  /**
   * Whole lines, or the pieces of one, which count as `count` when the last of them comes. Resolves when what came before
   * was taken: the next call tells of what fails.
   * @throws OutputError
   */
  async write(chunk: Uint8Array, count: number): Promise<void> {
    await this.writing;
    this.writing = written(this.file.write(chunk));
    // Whoever writes or ends next hears of it.
    this.writing.catch(() => undefined);
    this.bytes += chunk.length;
    this.count += count;
  }

  /** @throws OutputError */
  async finish(): Promise<ExportFile> {
    await this.writing;
    await written(this.file.finish());
    return { ...this.name, key: this.key, bytes: this.bytes, count: this.count };
  }

  async abort(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.file.abort();
  }
}

async function written<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new OutputError(error);
  }
}
