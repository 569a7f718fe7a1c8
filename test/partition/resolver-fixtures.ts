import type { Interceptor } from '../../src/hooks/interceptor.js';
import { FhirError } from '../../src/model/errors.js';
import {
  NON_PARTITIONABLE_TYPES,
  type PartitionAssignment,
  type PartitionChoice,
  type PartitionId,
  type PartitionScope,
} from '../../src/model/partition.js';
import { PRINCIPAL, type Principal, type TenantGrants } from '../../src/model/principal.js';
import type { Interaction, RequestDetails } from '../../src/model/request.js';
import { PartitionDirectory } from '../../src/partition/directory.js';
import { PartitionResolver, type PartitionResolverOptions } from '../../src/partition/resolver.js';
import type { PartitionRegistry } from '../../src/storage/store.js';
import { aRegistry, aRequest } from '../hooks/fixtures.js';

export const ACME = 1 as PartitionId;
export const BETA = 2 as PartitionId;
const NAMES: Readonly<Record<number, string>> = { 0: 'DEFAULT', 1: 'acme', 2: 'beta' };

/** A resolver, and the partitions that it registered. */
export interface World {
  readonly resolver: PartitionResolver;
  readonly adopted: PartitionId[];
}

export async function openWorld(
  options: Partial<PartitionResolverOptions>,
  ...interceptors: readonly Interceptor[]
): Promise<World> {
  const list = [ACME, BETA].map((id) => ({ id, name: NAMES[id]! }));
  const directory = new PartitionDirectory({ list: async () => list } as unknown as PartitionRegistry);
  await directory.load();
  const adopted: PartitionId[] = [];
  const { registry } = aRegistry(...interceptors);
  const resolver = new PartitionResolver(registry, directory, {
    enabled: true,
    unnamed: false,
    alsoHeld: new Set(['ValueSet']),
    grants: 'ignored',
    adopt: async (id) => void adopted.push(id),
    ...options,
  });
  return { resolver, adopted };
}

export const reads = (answer: () => PartitionChoice | undefined, name = 'reads'): Interceptor => ({
  name,
  hooks: { STORAGE_PARTITION_IDENTIFY_READ: answer },
});
export const creates = (answer: () => PartitionChoice | undefined, name = 'creates'): Interceptor => ({
  name,
  hooks: { STORAGE_PARTITION_IDENTIFY_CREATE: answer },
});
export const both = (choice: PartitionChoice): Interceptor => ({
  name: 'both',
  hooks: {
    STORAGE_PARTITION_IDENTIFY_READ: () => choice,
    STORAGE_PARTITION_IDENTIFY_CREATE: () => choice,
  },
});

export const named = (...names: [string, ...string[]]): PartitionChoice => ({ by: 'name', names });
export const numbered = (...ids: [number, ...number[]]): PartitionChoice => ({ by: 'id', ids });

export function requestOf(interaction: Interaction, said: Partial<RequestDetails> = {}): RequestDetails {
  const method = { create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' }[interaction as string];
  return { ...aRequest(), interaction, method: method ?? 'GET', ...said };
}

export function withToken(
  request: RequestDetails,
  tenants: TenantGrants,
  scopes = 'system/*.cruds',
): RequestDetails {
  const principal: Principal = {
    issuer: 'https://issuer.example',
    scopes: scopes.split(' '),
    tenants,
    admin: false,
    expires: 0,
  };
  return { ...request, attributes: new Map([[PRINCIPAL, principal]]) };
}

export const GRANTED_ACME: TenantGrants = { kind: 'names', names: ['acme'] };
export const GRANTED_ALL: TenantGrants = { kind: 'all' };

/** What came out, or the error's code and message. */
export async function outcome<Value>(work: () => Promise<Value> | Value): Promise<Value | string> {
  try {
    return await work();
  } catch (error) {
    return error instanceof FhirError
      ? `${error.code}: ${error.message}`
      : `Error: ${(error as Error).message}`;
  }
}

export const scope = (...partitions: number[]): PartitionScope =>
  ({ partitions, all: false, types: null }) as unknown as PartitionScope;
/** Of all partitions. */
export const EVERYTHING: PartitionScope = { ...scope(0, 1, 2), all: true };
/** The same, of what is kept there for everybody. */
export const definitionsOf = (...partitions: number[]): PartitionScope => ({
  ...scope(...partitions),
  types: NON_PARTITIONABLE_TYPES,
});
/** Where something new goes. */
export const assignment = (partition: number, date: string | null = null): PartitionAssignment =>
  ({ partition, date, types: null }) as unknown as PartitionAssignment;
export const Patient = { resourceType: 'Patient' };

/** The scope of a read under a choice. */
export async function readBy(
  choice: PartitionChoice | undefined,
  options: Partial<PartitionResolverOptions> = {},
  request = requestOf('read'),
): Promise<PartitionScope | string> {
  const { resolver } = await openWorld(
    options,
    reads(() => choice),
  );
  return outcome(() => resolver.resolveRead(request));
}

/** The assignment of a create under a choice. */
export async function createBy(
  choice: PartitionChoice | undefined,
  type = 'Patient',
  options: Partial<PartitionResolverOptions> = {},
): Promise<PartitionAssignment | string> {
  const { resolver } = await openWorld(
    options,
    creates(() => choice),
  );
  return outcome(() => resolver.resolveCreate(requestOf('create'), { resourceType: type }));
}
