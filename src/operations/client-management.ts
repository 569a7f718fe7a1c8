/** The $client-… operations: who gets tokens from this server, by partition. */
import type { Registration } from '../clients/registration.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import { ALL_PARTITIONS_NAME, type Partition } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { StoredClient } from '../storage/client-store.js';
import { assertKnown, type OperationParameter, readParameters, single } from './parameters.js';

/** Registers a client in the partition of the request. */
export async function registerClient(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const { partition, parameters } = await begin(server, request, [
    'id',
    'name',
    'scope',
    'jwks',
    'jwksUrl',
    'tenant',
  ]);
  const client = await server.clients.register(partition, toRegistration(parameters));
  return respond(request, toDescription(server, client), 201);
}

/** The clients of the partition, by id. */
export async function listClients(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { partition } = await begin(server, request, []);
  const clients = await server.clients.list(partition);
  return respond(
    request,
    clients.map((client) => ({ name: 'client', part: toDescription(server, client) })),
  );
}

/** From now on it gets no tokens. */
export async function disableClient(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { partition, parameters } = await begin(server, request, ['id']);
  await server.clients.setDisabled(partition, requiredId(parameters), 'disabled');
  return respond(request, [{ name: 'message', valueString: 'The client is disabled.' }]);
}

export async function enableClient(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { partition, parameters } = await begin(server, request, ['id']);
  await server.clients.setDisabled(partition, requiredId(parameters), 'enabled');
  return respond(request, [{ name: 'message', valueString: 'The client is enabled.' }]);
}

export async function removeClient(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { partition, parameters } = await begin(server, request, ['id']);
  await server.clients.remove(partition, requiredId(parameters));
  return respond(request, [{ name: 'message', valueString: 'The client is removed.' }]);
}

interface Begun {
  readonly partition: Partition;
  readonly parameters: readonly OperationParameter[];
}

/** In the one partition that the request selects. */
async function begin(server: ServerParts, request: RequestDetails, known: readonly string[]): Promise<Begun> {
  const { all, partitions } = await server.resolver.resolveRead(request);
  const [id] = partitions;
  const partition = !all && partitions.length === 1 && id !== undefined && server.directory.byId(id);
  if (!partition)
    throw new FhirError('INVALID_PARTITION', `${request.operation} is called for one partition.`);
  const parameters = readParameters(request);
  assertKnown(parameters, known);
  return { partition, parameters };
}

function toRegistration(parameters: readonly OperationParameter[]): Registration {
  const [id, name, jwks, jwksUrl] = ['id', 'name', 'jwks', 'jwksUrl'].map((one) => single(parameters, one));
  const tenants = several(parameters, 'tenant');
  return {
    scope: several(parameters, 'scope').join(' '),
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(jwks === undefined ? {} : { jwks }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(tenants.length === 0 ? {} : { tenants }),
  };
}

function several(parameters: readonly OperationParameter[], name: string): readonly string[] {
  return parameters.filter((one) => one.name === name).map(({ text }) => text ?? '');
}

function requiredId(parameters: readonly OperationParameter[]): string {
  const id = single(parameters, 'id');
  if (id !== undefined) return id;
  throw new FhirError('INVALID_CLIENT', "The parameter 'id' is required.");
}

function toDescription(server: ServerParts, client: StoredClient): readonly object[] {
  const { id, name, scopes, jwks, jwksUrl, disabled, created } = client;
  return [
    { name: 'id', valueString: id },
    { name: 'name', valueString: name },
    { name: 'scope', valueString: scopes },
    ...tenantsOf(server, client).map((tenant) => ({ name: 'tenant', valueString: tenant })),
    ...(jwks === null ? [] : [{ name: 'jwks', valueString: jwks }]),
    ...(jwksUrl === null ? [] : [{ name: 'jwksUrl', valueUrl: jwksUrl }]),
    { name: 'disabled', valueBoolean: disabled },
    { name: 'created', valueInstant: new Date(created).toISOString() },
  ];
}

function tenantsOf({ clients }: ServerParts, client: StoredClient): readonly string[] {
  const tenants = clients.tenantsOf(client);
  if (tenants.kind === 'all') return [ALL_PARTITIONS_NAME];
  return tenants.kind === 'none' ? [] : tenants.names;
}

function respond(request: RequestDetails, parameter: readonly object[], status = 200): OutgoingResponse {
  const content = parameter.length === 0 ? {} : { parameter };
  return resourceResponse(request, { resourceType: 'Parameters', ...content }, status);
}
