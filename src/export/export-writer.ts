import type { OutcomeIssue } from '../model/resource.js';
import type { ExportClaim, PageEntry } from '../storage/export-store.js';
import type { ExportPage } from './export-pages.js';
import type { ExportParts } from './export-parts.js';
import { describeExport, type ExportRequest } from './export-request.js';
import { ExportedContent } from './exported-content.js';
import { linesOf, toLine } from './ndjson.js';
import { unreadableIssue } from './parsed-resource.js';
import type { PartFiles } from './part-files.js';

/** What is written, and where. */
export interface WriterParts {
  readonly parts: ExportParts;
  readonly claim: ExportClaim;
  readonly request: ExportRequest;
  readonly files: PartFiles;
}

/** Entries of one Bundle. */
const DELETIONS = 500;

/** Writes pages of an export into its files. */
export class ExportWriter {
  private readonly content: ExportedContent;

  constructor(private readonly parts: WriterParts) {
    this.content = new ExportedContent(parts.parts.hooks, describeExport(parts.claim.job, parts.request));
  }

  /** `file`: the type of the file that the lines go into. */
  async write(file: string, page: ExportPage): Promise<void> {
    const { files, request } = this.parts;
    const { type } = page;
    await this.report(page.unreadable.map(({ id }) => unreadableIssue(`${type}/${id}`)));
    if (request.since !== null) await this.writeDeleted(type, page.deleted);
    if (page.count > 0 && type !== 'Binary' && this.content.isAsStored())
      return files.write('output', file, page);
    if (type === 'Binary') await this.writeBinaries(page.lines);
    else await this.writeAltered(file, page.lines);
    page.release?.();
  }

  /**
   * What a block begins with, which is not counted among the resources:
   * https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-output-file-organization
   */
  async writeHeader(patient: string): Promise<void> {
    const reference = { reference: `Patient/${patient}` };
    const parameter = [{ name: 'header', valueReference: reference }];
    const lines = toLine({ resourceType: 'Parameters', parameter });
    await this.parts.files.write('output', 'Patient', { lines, count: 0 });
  }

  /** Tells the client in `error`. */
  async report(issues: readonly OutcomeIssue[]): Promise<void> {
    for (const issue of issues) {
      const lines = toLine({ resourceType: 'OperationOutcome', issue: [issue] });
      await this.parts.files.write('error', 'OperationOutcome', { lines, count: 1 });
    }
  }

  private async writeAltered(file: string, lines: Uint8Array): Promise<void> {
    const altered = await this.content.alter(lines);
    await this.report(altered.issues);
    if (altered.count > 0) await this.parts.files.write('output', file, altered);
  }

  /** Content that is not in the text is fetched, piece by piece. */
  private async writeBinaries(lines: Uint8Array): Promise<void> {
    const { parts, claim, files } = this.parts;
    for (const line of linesOf(lines)) {
      const text = await this.binaryText(line);
      if (text === undefined) continue;
      const whole = parts.wholeBinary(claim.job.partition, text) ?? [Buffer.from(text)];
      for await (const chunk of whole) await files.write('output', 'Binary', { lines: chunk, count: 0 });
      await files.write('output', 'Binary', { lines: Buffer.from('\n'), count: 1 });
    }
  }

  /** Undefined where a hook leaves it out. */
  private async binaryText(line: Uint8Array): Promise<string | undefined> {
    if (this.content.isAsStored()) return Buffer.from(line).toString('utf8');
    const altered = await this.content.alter(line);
    await this.report(altered.issues);
    return altered.count === 0 ? undefined : Buffer.from(altered.lines).toString('utf8').trimEnd();
  }

  /** https://hl7.org/fhir/uv/bulkdata/export.html#response---output-manifest: transactions of deletions. */
  private async writeDeleted(type: string, entries: readonly PageEntry[]): Promise<void> {
    const { before } = this.parts.request;
    const deleted = entries.filter(({ updated }) => before === null || updated < before);
    for (let start = 0; start < deleted.length; start += DELETIONS) {
      const entry = deleted
        .slice(start, start + DELETIONS)
        .map(({ id }) => ({ request: { method: 'DELETE', url: `${type}/${id}` } }));
      const lines = toLine({ resourceType: 'Bundle', type: 'transaction', entry });
      await this.parts.files.write('deleted', 'Bundle', { lines, count: 1 });
    }
  }
}
