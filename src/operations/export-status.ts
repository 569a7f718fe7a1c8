/** $export-poll-status: https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request */
import { percentOf, progressOf } from '../export/export-progress.js';
import { requestOf } from '../export/export-request.js';
import { formatHttpDate } from '../fhir/conditional-headers.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { ExportJob } from '../storage/export-store.js';
import { manifestOf } from './export-manifest.js';
import { expiryOf, findExport, type FoundExport, unknownExport } from './export-place.js';
import { assertKnown, readParameters, single, singleInteger } from './parameters.js';

/** How far an export is, or what it consists of; DELETE ends it. */
export async function exportStatus(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request);
  const found = await findExport(server, request, single(parameters, '_jobId') ?? '');
  assertKnown(parameters, ['_jobId', 'page']);
  const page = singleInteger(parameters, 'page') ?? 1;
  if (request.method === 'DELETE') return endExport(server, request, found);
  const { job } = found;
  switch (job.state) {
    case 'waiting':
    case 'running':
      return underWay(server, found, page);
    case 'complete':
      return complete(server, found, page);
    case 'failed':
      throw new FhirError('EXPORT_FAILED', job.error ?? 'The export failed.');
    case 'cancelled':
      throw unknownExport(job.id);
  }
}

/** Where manifests may come in parts, with what is there already. */
async function underWay(server: ServerParts, found: FoundExport, page: number): Promise<OutgoingResponse> {
  const { job } = found;
  const retry = { 'retry-after': String(pauseOf(server.clock() - job.created)) };
  if (!server.exports.polls.allows(job.id))
    throw new FhirError('TOO_MANY_REQUESTS', 'The status is asked for too often.', { headers: retry });
  const headers = { ...retry, 'x-progress': describeProgress(job) };
  if (!requestOf(job).partialManifests || !hasFiles(job)) return { status: 202, headers, body: undefined };
  const body = await manifestOf(server, found, page);
  return { status: 202, headers: { ...headers, ...JSON_HEADERS }, body };
}

/** A part of a manifest that is told of never changes: there is none before there are files. */
function hasFiles(job: ExportJob): boolean {
  return Object.keys(progressOf(job)?.parts ?? {}).length > 0;
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Whole seconds: what takes long is asked for less often. */
function pauseOf(age: number): number {
  if (age < 30_000) return 1;
  return age < 300_000 ? 3 : 10;
}

/** Begins with the number, and is shorter than 100 characters. */
function describeProgress(job: ExportJob): string {
  const progress = progressOf(job);
  if (progress === null) return '0% complete, waiting';
  const type = progress.steps[progress.step]?.type ?? 'the last files';
  return `${percentOf(progress)}% complete, at ${type}`;
}

async function complete(server: ServerParts, found: FoundExport, page: number): Promise<OutgoingResponse> {
  const headers = { ...JSON_HEADERS, expires: formatHttpDate(expiryOf(server, found.job)) };
  return { status: 200, headers, body: await manifestOf(server, found, page) };
}

/** What is under way is cancelled, what is complete goes with its files. */
async function endExport(
  server: ServerParts,
  request: RequestDetails,
  { scope, job }: FoundExport,
): Promise<OutgoingResponse> {
  const { jobs, output } = server.exports;
  if (!(await jobs.cancel(scope, job.id))) {
    await jobs.remove(job);
    await output.removeJob(job.partition, job.id);
  }
  const diagnostics = 'The export was ended, and its files are gone.';
  const issue = [{ severity: 'information', code: 'informational', diagnostics }];
  return resourceResponse(request, { resourceType: 'OperationOutcome', issue }, 202);
}
