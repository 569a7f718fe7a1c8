/** What an export consists of: https://hl7.org/fhir/uv/bulkdata/export.html#response---output-manifest */
import type { ExportFile, ExportJob } from '../storage/export-store.js';
import { progressOf } from './export-progress.js';
import type { ExportRequest } from './export-request.js';

/** Makes the URL of a file. */
export type FileUrl = (file: ExportFile) => Promise<string>;

interface ManifestItem {
  /** Files of an output that is organized have lines of several types. */
  readonly type?: string;
  readonly url: string;
  readonly count: number;
  /** Where the last block goes on. */
  readonly continuesInFile?: string;
}

/** The manifest's JSON. */
export interface Manifest {
  readonly transactionTime: string;
  readonly request: string;
  readonly requiresAccessToken: boolean;
  readonly outputOrganizedBy?: 'Patient';
  readonly output: readonly ManifestItem[];
  readonly deleted: readonly ManifestItem[];
  readonly error: readonly ManifestItem[];
  /** Where another part of a manifest in parts follows. */
  readonly link?: readonly { readonly relation: 'next'; readonly url: string }[];
}

/** What a manifest says besides its files. */
export interface ManifestParts {
  readonly job: ExportJob;
  readonly request: ExportRequest;
  readonly requiresAccessToken: boolean;
  readonly urlOf: FileUrl;
  /** Of the part that follows; undefined where there is none, or none yet. */
  readonly next: string | undefined;
}

export async function toManifest(files: readonly ExportFile[], parts: ManifestParts): Promise<Manifest> {
  const { job, request, requiresAccessToken, urlOf, next } = parts;
  const { organizeBy } = request;
  const itemsOf = async (kind: ExportFile['kind']): Promise<readonly ManifestItem[]> => {
    const ofKind = files.filter((file) => file.kind === kind);
    return Promise.all(
      ofKind.map(async (file) => ({ type: file.type, url: await urlOf(file), count: file.count })),
    );
  };
  const organized = async (): Promise<readonly ManifestItem[]> => {
    const items = await itemsOf('output');
    const continued = progressOf(job)?.continued ?? [];
    return items.map(({ url, count }, at) => {
      const following = continued.includes(at + 1) ? items[at + 1]?.url : undefined;
      return { url, count, ...(following !== undefined && { continuesInFile: following }) };
    });
  };
  return {
    transactionTime: new Date(job.at ?? 0).toISOString(),
    request: request.url,
    requiresAccessToken,
    ...(organizeBy !== null && { outputOrganizedBy: organizeBy }),
    output: organizeBy === null ? await itemsOf('output') : await organized(),
    deleted: await itemsOf('deleted'),
    error: await itemsOf('error'),
    ...(next !== undefined && { link: [{ relation: 'next', url: next }] }),
  };
}

/**
 * The files of a manifest in parts: those that were finished together are a part, so that one that is told of never
 * changes. There is one at least.
 */
export function manifestPages(files: readonly ExportFile[]): readonly (readonly ExportFile[])[] {
  const pages = new Map<string, SlicePage>();
  for (const file of files) {
    const [token, slice] = [tokenOf(file), sliceOf(file)];
    const name = `${token}-${slice}`;
    pages.set(name, { token, slice, files: [...(pages.get(name)?.files ?? []), file] });
  }
  const inOrder = [...pages.values()].toSorted(
    (one, other) => one.token - other.token || one.slice - other.slice,
  );
  return inOrder.length === 0 ? [[]] : inOrder.map((page) => page.files);
}

/** What was finished together. */
interface SlicePage {
  readonly token: number;
  readonly slice: number;
  readonly files: readonly ExportFile[];
}

/** Of the claim under which a file was written: see PartWriter. */
export function tokenOf({ key }: Pick<ExportFile, 'key'>): number {
  return Number(/\/(\d+)-[^/]*$/.exec(key)?.[1]);
}

/** Which slice of the claim it was written in: names once had none. */
function sliceOf({ key }: ExportFile): number {
  const [, slice = '0'] = /^\d+-(\d+)-/.exec(key.slice(key.lastIndexOf('/') + 1)) ?? [];
  return Number(slice);
}

/** `Patient.1.ndjson`; kinds that are no output are told apart by their names. */
export function fileName({ kind, type, part }: Pick<ExportFile, 'kind' | 'type' | 'part'>): string {
  return kind === 'output' ? `${type}.${part}.ndjson` : `${kind}.${part}.ndjson`;
}
