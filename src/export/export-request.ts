import type { BulkExport, BulkExportParameters, TypeFilter } from '../model/bulk-export.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { ExportJob } from '../storage/export-store.js';

/** An export as its job keeps it: everything that is needed after the request is gone. */
export interface ExportRequest extends BulkExportParameters {
  /** Files may be told of before the export is complete, in manifests of several parts. */
  readonly partialManifests: boolean;
  /** The URL of the kick-off, for the manifest. */
  readonly url: string;
  /** The base URL under which it was asked for, and under which its files are. */
  readonly base: string;
  /** Of these types only what one of its filters finds: what the token granted. Null, or left out: nothing is limited. */
  readonly limits?: readonly TypeFilter[] | null;
  /** What the client must know: what was left out, and why. */
  readonly issues: readonly OutcomeIssue[];
}

/** What the job was asked for. */
export function requestOf({ request }: Pick<ExportJob, 'request'>): ExportRequest {
  return JSON.parse(request) as ExportRequest;
}

/** The job as hooks see it. */
export function describeExport(
  { id, partition }: Pick<ExportJob, 'id' | 'partition'>,
  parameters: BulkExportParameters,
): BulkExport {
  const { level, types, since, before, filters, elements, patients, associated, organizeBy } = parameters;
  return {
    id,
    partition,
    parameters: { level, types, since, before, filters, elements, patients, associated, organizeBy },
  };
}
