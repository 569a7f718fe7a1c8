/** $export-poll-status: https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request */
import { formatHttpDate } from '../fhir/conditional-headers.js';
import { stringifyJson } from '../fhir/json.js';
import { percentOf, progressOf } from '../export/export-progress.js';
import { requestOf } from '../export/export-request.js';
import { fileName, type ManifestParts, toManifest } from '../export/manifest.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { ExportFile, ExportJob } from '../storage/export-store.js';
import { expiryOf, findExport, type FoundExport, unknownExport } from './export-place.js';
import { assertKnown, readParameters, single } from './parameters.js';

/** How far an export is, or what it consists of; DELETE ends it. */
export async function exportStatus(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request);
  const found = await findExport(server, request, single(parameters, '_jobId') ?? '');
  assertKnown(parameters, ['_jobId']);
  if (request.method === 'DELETE') return endExport(server, request, found);
  const { job } = found;
  switch (job.state) {
    case 'waiting':
    case 'running':
      return underWay(server, job);
    case 'complete':
      return complete(server, request, found);
    case 'failed':
      throw new FhirError('EXPORT_FAILED', job.error ?? 'The export failed.');
    case 'cancelled':
      throw unknownExport(job.id);
  }
}

function underWay(server: ServerParts, job: ExportJob): OutgoingResponse {
  const retry = { 'retry-after': String(pauseOf(server.clock() - job.created)) };
  if (!server.exports.polls.allows(job.id))
    throw new FhirError('TOO_MANY_REQUESTS', 'The status is asked for too often.', { headers: retry });
  return { status: 202, headers: { ...retry, 'x-progress': describeProgress(job) }, body: undefined };
}

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

async function complete(
  server: ServerParts,
  request: RequestDetails,
  { scope, job }: FoundExport,
): Promise<OutgoingResponse> {
  const files = await server.exports.jobs.files(scope, job.id);
  const manifest = await toManifest(files, manifestParts(server, request, job));
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    expires: formatHttpDate(expiryOf(server, job)),
  };
  return { status: 200, headers, body: stringifyJson(manifest) };
}

function manifestParts(server: ServerParts, { base }: RequestDetails, job: ExportJob): ManifestParts {
  const { exports, settings, clock } = server;
  const { output } = exports;
  const isPresigned = output.presign !== undefined && settings.exportRequiresAccessToken !== true;
  const seconds = Math.min(settings.exportUrlSeconds, Math.ceil((expiryOf(server, job) - clock()) / 1000));
  const urlOf = async (file: ExportFile): Promise<string> =>
    (isPresigned ? await output.presign?.(file.key, seconds) : undefined) ??
    `${base}/$export-file/${job.id}/${fileName(file)}`;
  const byToken = settings.exportRequiresAccessToken === true || settings.partitioning.includes('token');
  return { job, request: requestOf(job), requiresAccessToken: !isPresigned && byToken, urlOf };
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
