import type { ExportClaim, ExportFile } from '../storage/export-store.js';
import type { OutputStore } from '../storage/output-store.js';
import { partsKey } from './export-progress.js';
import { PartWriter } from './part-writer.js';

/** Lines that are to be written; pieces of one line count when its end comes. */
export interface WrittenLines {
  readonly lines: Uint8Array;
  readonly count: number;
}

type Kind = ExportFile['kind'];

/** The files that are written at once: one for each kind and type, begun when there is something to write. */
export class PartFiles {
  private readonly open = new Map<string, PartWriter>();
  private readonly finished: ExportFile[] = [];
  private written = 0;

  constructor(
    private readonly output: OutputStore,
    private readonly claim: ExportClaim,
    /** Parts that were finished before, by kind and type. */
    private readonly parts: Readonly<Record<string, number>>,
  ) {}

  /** Of all files. */
  get bytes(): number {
    return this.written;
  }

  async write(kind: Kind, type: string, { lines, count }: WrittenLines): Promise<void> {
    const key = partsKey({ kind, type });
    const writer = this.open.get(key) ?? (await this.create(kind, type));
    await writer.write(lines, count);
    this.written += lines.length;
  }

  /** Ends a file, if there is one. */
  async close(kind: Kind, type: string): Promise<void> {
    await this.end(partsKey({ kind, type }));
  }

  /** Ends all of them; answers every file that is finished. */
  async finish(): Promise<readonly ExportFile[]> {
    for (const key of this.open.keys()) await this.end(key);
    return this.finished;
  }

  /** Leaves nothing of what is open; never fails. */
  async abort(): Promise<void> {
    await Promise.allSettled([...this.open.values()].map((writer) => writer.abort()));
    this.open.clear();
  }

  private async create(kind: Kind, type: string): Promise<PartWriter> {
    const key = partsKey({ kind, type });
    const part = (this.parts[key] ?? 0) + 1;
    const writer = await PartWriter.create(this.output, this.claim, { kind, type, part });
    this.open.set(key, writer);
    return writer;
  }

  private async end(key: string): Promise<void> {
    const writer = this.open.get(key);
    if (writer === undefined) return;
    this.finished.push(await writer.finish());
    this.open.delete(key);
  }
}
