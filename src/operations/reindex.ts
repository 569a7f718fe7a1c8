/**
 * $reindex, $reindex-status, $reindex-cancel: make the index rows of what is stored complete, in the background. The
 * parameters are HAPI's (https://hapifhir.io/hapi-fhir/docs/server_jpa/search.html), and `parameter` besides.
 */
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId, type PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import { progressOf } from '../partition/reindex.js';
import { estimateReindex } from '../partition/reindex-estimate.js';
import type { ReindexTarget } from '../partition/reindex-parts.js';
import { targetOf } from '../partition/resolver.js';
import type { StoredJob } from '../storage/store.js';
import { assertKnown, type OperationParameter, readParameters, single } from './parameters.js';

/** Starts a job for the partitions that the caller sees; on the server, for all. */
export async function reindex(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await scopeOf(server, request);
  const parameters = readParameters(request);
  assertKnown(parameters, ['type', 'url', 'parameter']);
  const inForce = await server.partitionParameters.ofScope(scope);
  const types = typesOf(inForce, request, parameters);
  const job = await server.reindexing.start({ partitions: partitionsOf(request, scope), types });
  return respond(request, job, 202);
}

/** How far the job `job` is. */
export async function reindexStatus(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  return respond(request, await jobOf(server, request));
}

/** Ends the job `job`; rows that it has added stay. */
export async function reindexCancel(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  await server.reindexing.cancel(await jobOf(server, request));
  return respond(request, await jobOf(server, request));
}

/** What a tenant reads in DEFAULT is not its own to work on. */
async function scopeOf(server: ServerParts, request: RequestDetails): Promise<PartitionScope> {
  return server.resolver.resolveReadOf(request, { ...targetOf(request), resourceType: undefined });
}

/** Null: all of them. */
function partitionsOf(request: RequestDetails, scope: PartitionScope): readonly PartitionId[] | null {
  return isWholeServer(request, scope) ? null : scope.partitions;
}

function isWholeServer({ urlTenant }: RequestDetails, { all, partitions }: PartitionScope): boolean {
  return all || (urlTenant === undefined && partitions.includes(DEFAULT_PARTITION_ID));
}

/** Null: all of them. Several parameters mean all types that they name. @throws FhirError INVALID_REQUEST */
function typesOf(
  inForce: ServerParts['parameters'],
  { resourceType }: RequestDetails,
  parameters: readonly OperationParameter[],
): readonly string[] | null {
  const named = parameters.map((parameter) => typesNamed(inForce, parameter));
  if (resourceType === undefined) return named.length === 0 ? null : [...new Set(named.flat())];
  const stranger = named.find((types) => !types.includes(resourceType));
  if (stranger) throw invalid(`On ${resourceType}, ${stranger.join(' and ')} is not reindexed.`);
  return [resourceType];
}

function typesNamed(
  inForce: ServerParts['parameters'],
  { name, text = '' }: OperationParameter,
): readonly string[] {
  if (name === 'parameter') return typesOfParameter(inForce, text);
  return [typeNamed(name === 'url' ? withoutQuery(text) : text, name)];
}

/** HAPI names what is reindexed by a search. @throws FhirError INVALID_REQUEST */
function withoutQuery(url: string): string {
  const [type = '', query = ''] = url.replace(/^\//, '').split('?', 2);
  if (query === '') return type;
  throw invalid(
    `url is a type and a question mark, such as Patient?; criteria such as '${query.slice(0, 80)}' are not supported.`,
  );
}

/** The type, if there is one of the name; `name` is the parameter's. @throws FhirError INVALID_REQUEST */
export function typeNamed(type: string, name: string): string {
  if (RESOURCE_TYPES.has(type)) return type;
  throw invalid(`${name}: '${type.slice(0, 80)}' is no resource type.`);
}

/** The types that have the search parameter in force, and those whose values are copied for them. @throws FhirError INVALID_REQUEST where none has */
export function typesOfParameter(parameters: ServerParts['parameters'], url: string): readonly string[] {
  const types = [...RESOURCE_TYPES].filter((type) => parameters.list(type).some((one) => one.url === url));
  const copied = types.flatMap((type) =>
    parameters.uplifts.copiesOf(type).map(({ targetType }) => targetType),
  );
  if (types.length > 0) return [...new Set([...types, ...copied])];
  throw invalid(`parameter: no search parameter in force has the URL '${url.slice(0, 200)}'.`);
}

/** @throws FhirError NOT_FOUND for a job that works on partitions outside of the caller's, too. */
async function jobOf(server: ServerParts, request: RequestDetails): Promise<StoredJob> {
  const parameters = readParameters(request);
  assertKnown(parameters, ['job']);
  const id = single(parameters, 'job');
  if (id === undefined) throw invalid("The parameter 'job' is required.");
  const job = await server.reindexing.find(id);
  const visible = partitionsOf(request, await scopeOf(server, request));
  if (job && covers(visible, (job.parameters as unknown as ReindexTarget).partitions)) return job;
  throw new FhirError('NOT_FOUND', `There is no reindex job '${id.slice(0, 80)}'.`);
}

function covers(visible: readonly PartitionId[] | null, needed: readonly PartitionId[] | null): boolean {
  return visible === null || (needed?.every((partition) => visible.includes(partition)) ?? false);
}

function respond(request: RequestDetails, job: StoredJob, status = 200): OutgoingResponse {
  const { types } = job.parameters as unknown as ReindexTarget;
  const progress = progressOf(job);
  return resourceResponse(
    request,
    {
      resourceType: 'Parameters',
      parameter: [
        { name: 'job', valueString: job.id },
        { name: 'state', valueCode: job.state },
        ...(types ?? []).map((type) => ({ name: 'type', valueCode: type })),
        { name: 'partitions', valueInteger: progress?.partitions ?? 0 },
        { name: 'resources', valueInteger: progress?.seen ?? 0 },
        ...estimateParts(job),
        { name: 'added', valueInteger: progress?.added ?? 0 },
        { name: 'failed', valueInteger: progress?.failed ?? 0 },
        ...(progress?.type ? [{ name: 'reached', valueString: `${progress.type}/${progress.after}` }] : []),
        ...(progress?.failures ?? []).map((failure) => ({ name: 'failure', valueString: failure })),
      ],
    },
    status,
  );
}

/** What is not known yet is left out. */
function estimateParts(job: StoredJob): readonly { readonly name: string; readonly valueInteger: number }[] {
  const progress = progressOf(job);
  if (progress === undefined) return [];
  const { total, percent, secondsLeft } = estimateReindex(job.state, progress);
  return Object.entries({ total, percent, secondsLeft }).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, valueInteger: value }],
  );
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message);
}
