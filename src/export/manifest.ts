/** What a complete export consists of: https://hl7.org/fhir/uv/bulkdata/export.html#response---output-manifest */
import type { ExportFile, ExportJob } from '../storage/export-store.js';
import type { ExportRequest } from './export-request.js';

/** Makes the URL of a file. */
export type FileUrl = (file: ExportFile) => Promise<string>;

interface ManifestItem {
  readonly type: string;
  readonly url: string;
  readonly count: number;
}

/** The manifest's JSON. */
export interface Manifest {
  readonly transactionTime: string;
  readonly request: string;
  readonly requiresAccessToken: boolean;
  readonly output: readonly ManifestItem[];
  readonly deleted: readonly ManifestItem[];
  readonly error: readonly ManifestItem[];
}

/** What a manifest says besides its files. */
export interface ManifestParts {
  readonly job: ExportJob;
  readonly request: ExportRequest;
  readonly requiresAccessToken: boolean;
  readonly urlOf: FileUrl;
}

export async function toManifest(files: readonly ExportFile[], parts: ManifestParts): Promise<Manifest> {
  const { job, request, requiresAccessToken, urlOf } = parts;
  const itemsOf = async (kind: ExportFile['kind']): Promise<readonly ManifestItem[]> => {
    const ofKind = files.filter((file) => file.kind === kind);
    return Promise.all(
      ofKind.map(async (file) => ({ type: file.type, url: await urlOf(file), count: file.count })),
    );
  };
  return {
    transactionTime: new Date(job.at ?? 0).toISOString(),
    request: request.url,
    requiresAccessToken,
    output: await itemsOf('output'),
    deleted: await itemsOf('deleted'),
    error: await itemsOf('error'),
  };
}

/** `Patient.1.ndjson`; kinds that are no output are told apart by their names. */
export function fileName({ kind, type, part }: Pick<ExportFile, 'kind' | 'type' | 'part'>): string {
  return kind === 'output' ? `${type}.${part}.ndjson` : `${kind}.${part}.ndjson`;
}
