import type { ExportClaim, ExportFile } from '../storage/export-store.js';
import { jobPrefix, type OutputFile, type OutputStore } from '../storage/output-store.js';

/** What a part holds, and its number within that. */
export type PartName = Pick<ExportFile, 'kind' | 'type' | 'part'>;

/** Whole lines, or a piece of one, which counts when its end comes. */
export interface WrittenLines {
  readonly lines: Uint8Array;
  readonly count: number;
  /** Called when the lines were written, and may be changed. */
  readonly release?: () => void;
}

/** What is made under a claim, and saved together. */
export interface ClaimedSlice {
  readonly claim: ExportClaim;
  /** Counts from 1 within the claim. */
  readonly number: number;
}

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

  /**
   * The token is in the key: whoever lost the claim and does not know yet writes elsewhere. So is the slice: its files
   * are saved together.
   * @throws OutputError
   */
  static async create(output: OutputStore, slice: ClaimedSlice, name: PartName): Promise<PartWriter> {
    const { job, token } = slice.claim;
    const { kind, type, part } = name;
    const key = `${jobPrefix(job.partition, job.id)}${token}-${slice.number}-${kind}-${type}-${part}.ndjson`;
    return new PartWriter(await written(output.create(key)), name, key);
  }

  get size(): number {
    return this.bytes;
  }

  /** Resolves when what came before was taken: the next call tells of what fails. @throws OutputError */
  async write({ lines, count, release }: WrittenLines): Promise<void> {
    await this.writing;
    this.writing = written(this.file.write(lines)).finally(release);
    // Whoever writes or ends next hears of it.
    this.writing.catch(() => undefined);
    this.bytes += lines.length;
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
