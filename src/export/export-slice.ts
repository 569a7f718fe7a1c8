import type { OutcomeIssue } from '../model/resource.js';
import type { ExportClaim, ExportFile, PageEntry, VersionKey, VersionPage } from '../storage/export-store.js';
import { describeExport, type ExportRequest } from './export-request.js';
import { ExportedContent } from './exported-content.js';
import type { ExportParts } from './export-parts.js';
import { type ExportProgress, type ExportStep, withFiles } from './export-progress.js';
import { firstLines, linesOf, toLine } from './ndjson.js';
import { PartFiles } from './part-files.js';
import { BEGINNING } from './select.js';

/** What a slice of an export is made of. */
export interface SliceParts {
  readonly parts: ExportParts;
  readonly claim: ExportClaim;
  readonly request: ExportRequest;
  /** The transaction time. */
  readonly at: number;
  readonly progress: ExportProgress;
  /** Answers whether the work should end at the next page; throws where it must not go on. */
  readonly shouldEnd: () => boolean;
}

/** What a slice has made: files that are finished, and how far the export is with them. */
export interface SliceResult {
  readonly files: readonly ExportFile[];
  readonly progress: ExportProgress;
  readonly isComplete: boolean;
}

/** What is read at once. */
const PAGE_BYTES = 8 * 2 ** 20;
/** Resources of a list that are read at once, at most. */
const LISTED = 2_000;
/** A slice of little data, slowly read, is saved after this time in milliseconds. */
const SLICE_MS = 20_000;

type Page = Omit<VersionPage, 'next'> & { readonly next: VersionKey | number | null };

/** Works on an export for one part of its output, or for a while. */
export class ExportSlice {
  private readonly files: PartFiles;
  private readonly content: ExportedContent;
  private readonly end = performance.now() + SLICE_MS;

  constructor(private readonly slice: SliceParts) {
    const { parts, claim, request, progress } = slice;
    this.files = new PartFiles(parts.output, claim, progress.parts);
    this.content = new ExportedContent(parts.hooks, describeExport(claim.job, request));
  }

  /** @throws OutputError, or what reading throws; nothing is left open then */
  async run(): Promise<SliceResult> {
    try {
      return await this.work();
    } catch (error) {
      await this.files.abort();
      throw error;
    }
  }

  private async work(): Promise<SliceResult> {
    let { progress } = this.slice;
    for (let step = stepOf(progress); step !== undefined && !this.isFull(); step = stepOf(progress)) {
      if (this.slice.shouldEnd()) break;
      const page = await this.read(step, progress.after);
      await this.write(step, page);
      const done = progress.done + page.count + page.unreadable.length;
      const { next } = page;
      if (next === null) await this.files.close('output', step.type);
      progress =
        next === null
          ? { ...progress, done, step: progress.step + 1, after: null }
          : { ...progress, done, after: next };
    }
    const isComplete = stepOf(progress) === undefined;
    if (isComplete) await this.report([...this.slice.request.issues, ...progress.issues]);
    const files = await this.files.finish();
    return { files, progress: withFiles(progress, files), isComplete };
  }

  private isFull(): boolean {
    return this.files.bytes >= this.slice.parts.limits.fileBytes || performance.now() >= this.end;
  }

  private read(step: ExportStep, after: ExportProgress['after']): Promise<Page> {
    return step.from === 'walk'
      ? this.walk(step.type, after as VersionKey | null)
      : this.readListed(step.type, (after as number | null) ?? BEGINNING);
  }

  private async walk(type: string, after: VersionKey | null): Promise<Page> {
    const { parts, claim, request, at } = this.slice;
    const { since, before } = request;
    const walk = { type, since: since ?? BEGINNING, until: at, after, bytes: this.pageBytes() };
    if (before === null) return parts.homes.walk(claim.job.partition, walk, 'lines');
    return until(await parts.homes.walk(claim.job.partition, walk, 'entries'), before);
  }

  private async readListed(type: string, after: number): Promise<Page> {
    const { parts, claim, at } = this.slice;
    const rowIds = await parts.jobs.matches(claim, type, after, LISTED);
    const last = rowIds.at(-1);
    if (last === undefined) return NOTHING;
    const list = { type, rowIds, until: at, bytes: this.pageBytes() };
    const page = await parts.homes.versionsAt(claim.job.partition, list);
    const [unread] = page.rest;
    if (unread !== undefined) return { ...page, next: unread - 1 };
    return { ...page, next: rowIds.length < LISTED ? null : last };
  }

  private pageBytes(): number {
    return Math.min(PAGE_BYTES, Math.max(1, this.slice.parts.limits.fileBytes - this.files.bytes));
  }

  private async write({ type }: ExportStep, page: Page): Promise<void> {
    await this.report(page.unreadable.map((entry) => unreadable(type, entry)));
    if (this.slice.request.since !== null) await this.writeDeleted(type, page.deleted);
    if (page.count === 0) return;
    if (type === 'Binary') return this.writeBinaries(page.lines);
    if (this.content.isAsStored()) return this.files.write('output', type, page);
    const altered = await this.content.alter(page.lines);
    await this.report(altered.issues);
    if (altered.count > 0) await this.files.write('output', type, altered);
  }

  /** Content that is not in the text is fetched, piece by piece, unless the text itself is altered. */
  private async writeBinaries(lines: Uint8Array): Promise<void> {
    for (const line of linesOf(lines)) {
      const text = Buffer.from(line).toString('utf8');
      const altered = this.content.isAsStored() ? undefined : await this.content.alter(line);
      if (altered) await this.report(altered.issues);
      if (altered?.count === 0) continue;
      const shown = altered ? Buffer.from(altered.lines).toString('utf8').trimEnd() : text;
      const { parts, claim } = this.slice;
      const whole = parts.wholeBinary(claim.job.partition, shown);
      if (whole === undefined) {
        await this.files.write('output', 'Binary', { lines: Buffer.from(`${shown}\n`), count: 1 });
        continue;
      }
      for await (const chunk of whole) await this.files.write('output', 'Binary', { lines: chunk, count: 0 });
      await this.files.write('output', 'Binary', { lines: Buffer.from('\n'), count: 1 });
    }
  }

  /** https://hl7.org/fhir/uv/bulkdata/export.html#response---output-manifest: transactions of deletions. */
  private async writeDeleted(type: string, entries: readonly PageEntry[]): Promise<void> {
    const { before } = this.slice.request;
    const deleted = entries.filter(({ updated }) => before === null || updated < before);
    for (let start = 0; start < deleted.length; start += DELETIONS) {
      const entry = deleted
        .slice(start, start + DELETIONS)
        .map(({ id }) => ({ request: { method: 'DELETE', url: `${type}/${id}` } }));
      const lines = toLine({ resourceType: 'Bundle', type: 'transaction', entry });
      await this.files.write('deleted', 'Bundle', { lines, count: 1 });
    }
  }

  private async report(issues: readonly OutcomeIssue[]): Promise<void> {
    for (const issue of issues) {
      const lines = toLine({ resourceType: 'OperationOutcome', issue: [issue] });
      await this.files.write('error', 'OperationOutcome', { lines, count: 1 });
    }
  }
}

/** Entries of one Bundle. */
const DELETIONS = 500;

const NOTHING: Page = {
  lines: new Uint8Array(0),
  count: 0,
  entries: [],
  deleted: [],
  unreadable: [],
  next: null,
};

function stepOf({ steps, step }: ExportProgress): ExportStep | undefined {
  return steps[step];
}

/** What was written before a time; the walk goes by time, so that nothing comes after what was not. */
function until(page: VersionPage, before: number): Page {
  const isEarly = ({ updated }: PageEntry): boolean => updated < before;
  const count = page.entries.filter(isEarly).length;
  return {
    ...page,
    count,
    lines: firstLines(page.lines, count),
    unreadable: page.unreadable.filter(isEarly),
    next: count < page.entries.length ? null : page.next,
  };
}

function unreadable(type: string, { id }: PageEntry): OutcomeIssue {
  const diagnostics = `${type}/${id} was left out: what is stored of it cannot be read.`;
  return { severity: 'error', code: 'exception', diagnostics };
}
