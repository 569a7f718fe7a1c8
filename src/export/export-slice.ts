import { type ExportPage, ExportPages, type PagesParts } from './export-pages.js';
import { type BlockKey, type ExportProgress, type ExportStep, partsKey } from './export-progress.js';
import { ExportWriter } from './export-writer.js';
import { PartFiles } from './part-files.js';

/** What a slice of an export is made of. */
export interface SliceParts extends PagesParts {
  readonly progress: ExportProgress;
  /** Which slice of the claim it is, from 1. */
  readonly number: number;
  /** Answers whether the work should end at the next page; throws where it must not go on. */
  readonly shouldEnd: () => boolean;
  /** Resolves when the slice before is saved. @throws what it could not be saved for */
  readonly savedBefore: () => Promise<void>;
}

/** What a slice has made: files that are to be finished, and how far the export is with them. */
export interface WrittenSlice {
  readonly files: Pick<PartFiles, 'finish' | 'abort'>;
  readonly progress: ExportProgress;
  readonly isComplete: boolean;
}

/** What is read at once. */
const PAGE_BYTES = 4 * 2 ** 20;
/** A slice of little data, slowly read, is saved after this time in milliseconds. */
const SLICE_MS = 20_000;

/** Works on an export for one part of its output, or for a while. */
export class ExportSlice {
  private readonly files: PartFiles;
  private readonly pages: ExportPages;
  private readonly writer: ExportWriter;
  private readonly end = performance.now() + SLICE_MS;
  /** The patient whose block was begun last in this slice's file. */
  private headed: number | undefined;

  constructor(private readonly slice: SliceParts) {
    const { parts, claim, number, request, progress, savedBefore } = slice;
    this.files = new PartFiles(parts.output, { claim, number, parts: progress.parts, savedBefore });
    this.pages = new ExportPages(slice);
    this.writer = new ExportWriter({ parts, claim, request, files: this.files });
  }

  /** @throws OutputError, or what reading throws; nothing is left open then */
  async run(): Promise<WrittenSlice> {
    try {
      return await this.work();
    } catch (error) {
      await this.files.abort();
      throw error;
    }
  }

  private async work(): Promise<WrittenSlice> {
    let { progress } = this.slice;
    await this.continueBlock(progress);
    for (let step = stepOf(progress); step !== undefined && !this.isFull(); step = stepOf(progress)) {
      if (this.slice.shouldEnd()) break;
      const page = await this.pages.read(step, progress.after, this.pageBytes());
      await this.write(step, page);
      progress = await this.after(step, page, progress);
    }
    const isComplete = stepOf(progress) === undefined;
    if (isComplete) await this.writer.report([...this.slice.request.issues, ...progress.issues]);
    const { parts } = this.files;
    const continued = (await this.isInBlock(progress))
      ? [...progress.continued, parts[OUTPUT_PARTS] ?? 0]
      : progress.continued;
    return { files: this.files, progress: { ...progress, parts, continued }, isComplete };
  }

  private isFull(): boolean {
    return this.files.bytes >= this.slice.parts.limits.fileBytes || performance.now() >= this.end;
  }

  private pageBytes(): number {
    return Math.min(PAGE_BYTES, Math.max(1, this.slice.parts.limits.fileBytes - this.files.bytes));
  }

  private async write(step: ExportStep, page: ExportPage): Promise<void> {
    const { patient } = page;
    if (patient !== undefined && page.count > 0 && this.headed !== patient) await this.begin(patient);
    await this.writer.write(step.from === 'blocks' ? step.type : page.type, page);
  }

  private async begin(patient: number): Promise<void> {
    await this.writer.writeHeader(await this.pages.patientId(patient));
    this.headed = patient;
  }

  private async after(step: ExportStep, page: ExportPage, progress: ExportProgress): Promise<ExportProgress> {
    const done = progress.done + page.count + page.unreadable.length;
    const { next } = page;
    if (next !== null) return { ...progress, done, after: next };
    await this.files.close('output', step.type);
    return { ...progress, done, step: progress.step + 1, after: null };
  }

  /** A block that was begun in the last file has its header in this one too. */
  private async continueBlock(progress: ExportProgress): Promise<void> {
    const last = progress.parts[OUTPUT_PARTS];
    if (last === undefined || progress.continued.at(-1) !== last || !(await this.goesOn(progress))) return;
    await this.begin((progress.after as BlockKey).patient);
  }

  private async isInBlock(progress: ExportProgress): Promise<boolean> {
    const isBegun = this.headed !== undefined && this.headed === (progress.after as BlockKey | null)?.patient;
    return isBegun && this.goesOn(progress);
  }

  private async goesOn(progress: ExportProgress): Promise<boolean> {
    const step = stepOf(progress);
    if (step?.from !== 'blocks' || progress.after === null) return false;
    return this.pages.goesOn(step.types, progress.after as BlockKey);
  }
}

/** Of files in blocks. */
const OUTPUT_PARTS = partsKey({ kind: 'output', type: 'Patient' });

function stepOf({ steps, step }: ExportProgress): ExportStep | undefined {
  return steps[step];
}
