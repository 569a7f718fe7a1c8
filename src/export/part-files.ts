import type { ExportFile } from '../storage/export-store.js';
import type { OutputStore } from '../storage/output-store.js';
import { partsKey } from './export-progress.js';
import { type ClaimedSlice, PartWriter, type WrittenLines } from './part-writer.js';
import { removeFiles } from './unlisted-files.js';

/** What files are made for. */
export interface PartOwner extends ClaimedSlice {
  /** Parts that were made before, by kind and type. */
  readonly parts: Readonly<Record<string, number>>;
  /** Resolves when what was made before is saved: only then is a file begun, so that a kill costs one slice. */
  readonly savedBefore: () => Promise<void>;
}

type Kind = ExportFile['kind'];

/** The files that are written at once: one for each kind and type, begun when there is something to write. */
export class PartFiles {
  private readonly open = new Map<string, PartWriter>();
  private readonly finished: ExportFile[] = [];
  private readonly made: Record<string, number>;
  private written = 0;
  /** The file that comes to its end while others are written. */
  private closing: Promise<void> = Promise.resolve();

  constructor(
    private readonly output: OutputStore,
    private readonly owner: PartOwner,
  ) {
    this.made = { ...owner.parts };
  }

  /** Of all files. */
  get bytes(): number {
    return this.written;
  }

  /** Parts with those that were begun here, by kind and type. */
  get parts(): Readonly<Record<string, number>> {
    return { ...this.made };
  }

  async write(kind: Kind, type: string, lines: WrittenLines): Promise<void> {
    const key = partsKey({ kind, type });
    const writer = this.open.get(key) ?? (await this.create(kind, type));
    await writer.write(lines);
    this.written += lines.lines.length;
  }

  /** Ends a file, if there is one, once the one before has ended: whoever closes or finishes next hears of a failure. */
  async close(kind: Kind, type: string): Promise<void> {
    const key = partsKey({ kind, type });
    const writer = this.open.get(key);
    if (writer === undefined) return;
    await this.closing;
    this.open.delete(key);
    this.closing = this.end(writer);
    this.closing.catch(() => undefined);
  }

  /** Ends all of them; answers every file that is finished. */
  async finish(): Promise<readonly ExportFile[]> {
    await this.closing;
    for (const [key, writer] of this.open) {
      await this.end(writer);
      this.open.delete(key);
    }
    return this.finished;
  }

  /** Leaves nothing of what is open or finished; never fails. */
  async abort(): Promise<void> {
    const writers = [...this.open.values()];
    this.open.clear();
    await Promise.allSettled([this.closing, ...writers.map((writer) => writer.abort())]);
    await removeFiles(this.output, this.finished);
  }

  private async create(kind: Kind, type: string): Promise<PartWriter> {
    await this.owner.savedBefore();
    const key = partsKey({ kind, type });
    const part = (this.made[key] ?? 0) + 1;
    const writer = await PartWriter.create(this.output, this.owner, { kind, type, part });
    this.made[key] = part;
    this.open.set(key, writer);
    return writer;
  }

  private async end(writer: PartWriter): Promise<void> {
    this.finished.push(await writer.finish());
  }
}
