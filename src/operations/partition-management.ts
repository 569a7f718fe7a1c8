/** The $partition-management-… operations: server level, in HAPI's vocabulary. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  DEFAULT_PARTITION_NAME,
  type Partition,
  type Placement,
} from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import { assertKnown, type OperationParameter, readParameters, single, singleInteger } from './parameters.js';

export async function createPartition(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const parameters = await begin(server, request, ['id', 'name', 'description', 'placement']);
  const id = singleInteger(parameters, 'id');
  const placement = singlePlacement(parameters, 'placement');
  const partition = await server.management.create(
    {
      ...(id === undefined ? {} : { id }),
      ...nameAndDescription(parameters),
      ...(placement === undefined ? {} : { placement }),
    },
    request,
  );
  return respond(request, toParameters(partition));
}

export async function readPartition(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = await begin(server, request, ['id', 'name']);
  const id = singleInteger(parameters, 'id');
  const name = single(parameters, 'name');
  if ((id === undefined) === (name === undefined)) {
    throw new FhirError('INVALID_PARTITION', 'Name the partition by either id or name.');
  }
  const key = id === undefined ? { name: name ?? '' } : { id };
  return respond(request, toDescription(server.management.read(key)));
}

export async function updatePartition(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const parameters = await begin(server, request, ['id', 'name', 'description']);
  const wanted = { id: requiredId(parameters), ...nameAndDescription(parameters) };
  return respond(request, toParameters(await server.management.update(wanted)));
}

/** Moves a partition to another place in the background. */
export async function movePartition(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = await begin(server, request, ['id', 'to']);
  const id = requiredId(parameters);
  const to = singlePlacement(parameters, 'to');
  if (to === undefined) throw new FhirError('INVALID_PARTITION', "The parameter 'to' is required.");
  const job = await server.management.startMove(id, to);
  return respond(request, [
    { name: 'message', valueString: 'The partition is being moved; it stays in service.' },
    { name: 'job', valueString: job.id },
  ]);
}

export async function deletePartition(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const parameters = await begin(server, request, ['id', 'purge']);
  const id = requiredId(parameters);
  const purge = single(parameters, 'purge') ?? 'false';
  if (purge !== 'true' && purge !== 'false')
    throw new FhirError('INVALID_PARTITION', 'purge must be true or false.');
  if (purge === 'false') {
    await server.management.delete(id, request);
    return respond(request, [{ name: 'message', valueString: 'Success' }]);
  }
  const job = await server.management.startPurge(id);
  return respond(request, [
    { name: 'message', valueString: 'The partition is out of service; its content is being deleted.' },
    { name: 'job', valueString: job.id },
  ]);
}

export async function listPartitions(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  await begin(server, request, []);
  const partitions = server.management.list();
  return respond(
    request,
    partitions.map((partition) => ({ name: 'partition', part: toDescription(partition) })),
  );
}

/** All of them are the server's: under DEFAULT or no tenant, and not at all where partitions have no names. */
async function begin(
  server: ServerParts,
  request: RequestDetails,
  known: readonly string[],
): Promise<readonly OperationParameter[]> {
  assertServerLevel(request);
  if (server.settings.unnamedPartitions) {
    const message = 'Partitions are not managed where every integer is one (unnamedPartitions).';
    throw new FhirError('METHOD_NOT_ALLOWED', message, { headers: { allow: '' } });
  }
  await assertDefaultSelected(server, request);
  const parameters = readParameters(request);
  assertKnown(parameters, known);
  return parameters;
}

/** @throws FhirError INVALID_PARTITION under a tenant's URL. */
export function assertServerLevel(request: RequestDetails): void {
  if (!isServerLevel(request)) throw notServerLevel(request.operation);
}

/** Whether the URL names no tenant but DEFAULT. */
export function isServerLevel({ urlTenant }: RequestDetails): boolean {
  return urlTenant === undefined || urlTenant === DEFAULT_PARTITION_NAME;
}

/**
 * A tenant may also be named by a header or a token, which only the resolver knows: whoever is kept to a tenant
 * does not manage the others.
 * @throws FhirError INVALID_PARTITION
 */
export async function assertDefaultSelected(server: ServerParts, request: RequestDetails): Promise<void> {
  const { all, partitions } = await server.resolver.resolveRead(request);
  if (!all && !partitions.includes(DEFAULT_PARTITION_ID)) throw notServerLevel(request.operation);
}

function notServerLevel(operation: string | undefined): FhirError {
  const message = `${operation} is called on the server or under ${DEFAULT_PARTITION_NAME}.`;
  return new FhirError('INVALID_PARTITION', message);
}

function requiredId(parameters: readonly OperationParameter[]): number {
  const id = singleInteger(parameters, 'id');
  if (id !== undefined) return id;
  throw new FhirError('INVALID_PARTITION', "The parameter 'id' is required.");
}

function nameAndDescription(parameters: readonly OperationParameter[]): {
  name: string;
  description?: string;
} {
  const name = single(parameters, 'name');
  if (name === undefined || name === '')
    throw new FhirError('INVALID_PARTITION', "The parameter 'name' is required.");
  const description = single(parameters, 'description');
  return { name, ...(description === undefined ? {} : { description }) };
}

const PLACEMENTS: readonly string[] = ['shared', 'schema', 'database'] satisfies readonly Placement[];

function singlePlacement(
  parameters: readonly OperationParameter[],
  name: 'placement' | 'to',
): Placement | undefined {
  const placement = single(parameters, name);
  if (placement === undefined || PLACEMENTS.includes(placement)) return placement as Placement | undefined;
  throw new FhirError('INVALID_PARTITION', `${name} must be one of ${PLACEMENTS.join(', ')}.`);
}

/** As it is asked about: with its placement, whatever that is. */
function toDescription(partition: Partition): readonly object[] {
  const { placement = 'shared' } = partition;
  return [
    ...toParameters({ ...partition, placement: 'shared' }),
    { name: 'placement', valueCode: placement },
  ];
}

/** What was asked for, and the placement where it is not the usual one. */
function toParameters({ id, name, description, placement = 'shared' }: Partition): readonly object[] {
  const parameters: object[] = [
    { name: 'id', valueInteger: id },
    { name: 'name', valueCode: name },
  ];
  if (description !== undefined) parameters.push({ name: 'description', valueString: description });
  if (placement !== 'shared') parameters.push({ name: 'placement', valueCode: placement });
  return parameters;
}

function respond(request: RequestDetails, parameter: readonly object[]): OutgoingResponse {
  return resourceResponse(request, { resourceType: 'Parameters', parameter });
}
