/** $export: the kick-off of https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-kick-off-request */
import { describeExport, type ExportRequest } from '../export/export-request.js';
import { typesOfLevel } from '../export/exported-types.js';
import { parseExport, type ParsedExport } from '../export/parse-export.js';
import { isLenient, prefersAsync } from '../fhir/prefer.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import { quotaOf } from '../interactions/quotas.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { ExportLevel } from '../model/bulk-export.js';
import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID, NON_PARTITIONABLE_TYPES, type PartitionId } from '../model/partition.js';
import { type Quota, quotaHeaders } from '../model/quota.js';
import type { RequestDetails } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { NewExportJob } from '../storage/export-store.js';
import { grantExport } from './export-access.js';
import { readExportFilters } from './export-filters.js';
import { readExportParameters } from './export-parameters.js';
import { askerOf, partitionOfExport, statusUrl } from './export-place.js';
import { assertSubjects } from './export-subjects.js';

/** Starts an export of the system, of all patients or of a group. */
export async function startExport(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await server.resolver.resolveRead(request);
  const partition = partitionOfExport(scope);
  assertStarted(request);
  const level = levelOf(request);
  const given = await parse(server, request, level);
  const { types, limits } = await grantExport(server, scope, { request, parsed: given });
  const parsed = { ...given, types };
  await assertSubjects(server, scope, { request, parsed });
  const filters = await readExportFilters(server, scope, { request, filters: parsed.filters });
  const asked: ExportRequest = {
    ...parsed,
    filters: filters.filters,
    issues: [...parsed.issues, ...filters.issues, ...keptElsewhere(parsed, partition)],
    url: urlOf(request),
    base: request.base,
    limits,
  };
  await bringParameters(server, partition, parsed, level);
  const created = server.clock();
  const id = server.newRequestId();
  const job = { id, partition, owner: askerOf(request), request: JSON.stringify(asked), created };
  await store(server, request, { job, asked });
  server.exports.runner.wake();
  return accepted(request, job.id);
}

/** @throws FhirError INVALID_REQUEST */
function assertStarted(request: RequestDetails): void {
  if (prefersAsync(request)) return;
  throw new FhirError(
    'INVALID_REQUEST',
    'An export goes on in the background: send the header Prefer: respond-async.',
  );
}

function levelOf({ resourceType, resourceId }: RequestDetails): ExportLevel {
  if (resourceType === 'Group' && resourceId !== undefined) return { kind: 'group', id: resourceId };
  return { kind: resourceType === 'Patient' ? 'patient' : 'system' };
}

async function parse(
  server: ServerParts,
  request: RequestDetails,
  level: ExportLevel,
): Promise<ParsedExport> {
  const given = readExportParameters(request);
  const wanted = await server.hooks.transform('STORAGE_PRE_INITIATE_BULK_EXPORT', { request }, given);
  const { base } = request;
  // What a hook adds does not depend on how the client asked.
  const method = wanted === given ? request.method : 'POST';
  const handling = isLenient(request) ? 'lenient' : 'strict';
  return parseExport(wanted, { level, handling, base, method, now: server.clock() });
}

/** R4's own parameters are in DEFAULT once somebody has asked for one, as whoever exports them does. */
async function bringParameters(
  { parameters }: ServerParts,
  partition: PartitionId,
  { types }: ParsedExport,
  level: ExportLevel,
): Promise<void> {
  if (partition !== DEFAULT_PARTITION_ID) return;
  if ((types ?? typesOfLevel(level)).includes('SearchParameter')) await parameters.seed();
}

/** What is kept in DEFAULT is not the tenant's: whoever asks for it by name is told. */
function keptElsewhere({ types }: ParsedExport, partition: PartitionId): readonly OutcomeIssue[] {
  if (partition === DEFAULT_PARTITION_ID) return [];
  const elsewhere = types?.filter((type) => NON_PARTITIONABLE_TYPES.has(type)) ?? [];
  return elsewhere.map((type) => ({
    severity: 'information',
    code: 'informational',
    diagnostics: `${type}: what is kept in DEFAULT for all tenants is exported from there.`,
  }));
}

/** The whole URL that was asked for, written anew. */
function urlOf({ base, path, parameters }: RequestDetails): string {
  const query = parameters
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return `${base}/${path}${query === '' ? '' : `?${query}`}`;
}

async function store(
  server: ServerParts,
  request: RequestDetails,
  { job, asked }: { readonly job: NewExportJob; readonly asked: ExportRequest },
): Promise<void> {
  const { hooks, exports, settings } = server;
  const event = { request, job: describeExport(job, asked) };
  await hooks.veto('STORAGE_INITIATE_BULK_EXPORT', { ...event });
  await hooks.veto('STORAGE_PRESTORAGE_BATCH_JOB_CREATE', { ...event });
  const { jobs: quota = Infinity } = (await quotaOfExport(server, request, job.partition)) ?? {};
  const most = Math.min(quota, settings.exportMaxPerPartition);
  if (!(await exports.jobs.create(job, most))) throw quota === most ? jobsExceeded(quota) : tooMany();
  try {
    await hooks.observe('STORAGE_POSTSTORAGE_BATCH_JOB_CREATE', { ...event });
  } catch (error) {
    await exports.jobs.cancel(server.resolver.scopeOfJob(job.partition), job.id);
    throw error;
  }
}

async function quotaOfExport(
  server: ServerParts,
  request: RequestDetails,
  id: PartitionId,
): Promise<Quota | undefined> {
  const partition = server.directory.byId(id);
  return partition && quotaOf(server, request, partition);
}

/** Seconds after which an export may have ended. */
const RETRY_SECONDS = 10;

function tooMany(): FhirError {
  return new FhirError('TOO_MANY_REQUESTS', 'Too many exports are under way already.', {
    headers: { 'retry-after': String(RETRY_SECONDS) },
  });
}

function jobsExceeded(jobs: number): FhirError {
  const message = `The partition may have ${jobs} exports that wait or run, and has as many: cancel one, or wait for its end.`;
  return new FhirError('QUOTA_EXCEEDED', message, {
    headers: { ...quotaHeaders({ jobs }, { jobs }), 'retry-after': String(RETRY_SECONDS) },
  });
}

function accepted(request: RequestDetails, id: string): OutgoingResponse {
  const location = statusUrl(request, id);
  const diagnostics = `The export was started; its status is at ${location}.`;
  const issue = [{ severity: 'information', code: 'informational', diagnostics }];
  const { status, headers, body } = resourceResponse(
    request,
    { resourceType: 'OperationOutcome', issue },
    202,
  );
  return { status, headers: { ...headers, 'content-location': location }, body };
}
