import {
  DEFAULT_PARTITION_NAME,
  defineInterceptor,
  FhirError,
  NON_PARTITIONABLE_TYPES,
} from '../src/index.js';
import type { HookEvent, Interceptor, MaybePromise, PartitionChoice, RequestDetails } from '../src/index.js';
import { assertAgreement, isSelected, mismatch, readTenants } from './tenant-agreement.js';
import { isGranted, toGrantedChoice } from './tenant-grant.js';
import type { GrantSource } from './tenant-grant.js';
import type { TenantSource } from './tenant-source.js';

/** What every tenant interceptor may be told. */
export interface TenantOptions {
  /**
   * What becomes of a ValueSet or another type that lives in DEFAULT only, written under a tenant: `default`
   * (if left out) stores it in DEFAULT, `reject` refuses it with 422.
   */
  readonly conformanceWrites?: 'default' | 'reject';
  /** Whether the tenant `_ALL` reads all partitions; true if left out. False: 403. A grant is not limited by it. */
  readonly allPartitions?: boolean;
  /** Whether a SearchParameter that is written under a tenant is the tenant's own; needs the setting of this name. */
  readonly partitionSearchParameters?: boolean;
}

/** A tenant interceptor: where it looks, and what it does where it finds nothing. */
export interface TenantPartitionOptions extends TenantOptions {
  readonly name: string;
  /** Lower is asked first; 0 if left out. */
  readonly order?: number;
  /** The first that names a tenant decides; the others may name the same one or none. */
  readonly sources: readonly TenantSource[];
  /** Sources that decide nothing, and must not disagree with those that do. */
  readonly witnesses?: readonly TenantSource[];
  /** Limits the caller. It is asked first, and the sources then choose among what is granted. */
  readonly grant?: GrantSource;
  /** Where no source names a tenant: DEFAULT, or whatever the next interceptor answers. */
  readonly otherwise: 'default' | 'ask-next';
}

/** Attribute of a request that a tenant interceptor has decided. */
const DECIDED = 'bulkhead.tenant-decided';

/** Changes of what is there. Creates have a pointcut of their own. */
const CHANGES: ReadonlySet<string> = new Set(['update', 'patch', 'delete']);

/**
 * Finds the partition of a request by the tenant that the client names. Two places that name different tenants
 * are 400 TENANT_MISMATCH. With a grant, a tenant that is not granted is 403, whether it exists or not.
 */
export function tenantPartition(options: TenantPartitionOptions): Interceptor {
  const { name, order = 0, sources, witnesses = [], grant } = options;
  const comparable = sources.length + witnesses.length > 1 || grant !== undefined;
  return defineInterceptor({
    name,
    order,
    hooks: {
      STORAGE_PARTITION_IDENTIFY_READ: ({ request, target }) =>
        decide(options, request, (choice) => toReadChoice(options, target, choice)),
      STORAGE_PARTITION_IDENTIFY_CREATE: ({ request, resource }) =>
        decide(options, request, (choice) => toCreateChoice(options, resource.resourceType, choice)),
      // Left out where nothing can disagree, since a hook that is not there costs nothing.
      ...(comparable
        ? { STORAGE_PARTITION_SELECTED: (event) => assertSelected([...sources, ...witnesses], event) }
        : {}),
    },
  });
}

type Finish = (choice: PartitionChoice) => PartitionChoice;
type Selected = HookEvent<'STORAGE_PARTITION_SELECTED'>;

function decide(
  options: TenantPartitionOptions,
  request: RequestDetails,
  finish: Finish,
): MaybePromise<PartitionChoice | undefined> {
  return options.grant
    ? decideGranted({ ...options, grant: options.grant }, request, finish)
    : decideNamed(options, request, finish);
}

function decideNamed(
  options: TenantPartitionOptions,
  request: RequestDetails,
  finish: Finish,
): PartitionChoice | undefined {
  const tenants = readTenants(options.sources, request);
  const [tenant] = tenants;
  if (tenant === undefined && options.otherwise === 'ask-next') return undefined;
  assertAgreement([...tenants, ...readTenants(options.witnesses ?? [], request)]);
  request.attributes.set(DECIDED, 'name');
  if (tenant === undefined) return { by: 'default' };
  if (tenant.partitions.by === 'all' && options.allPartitions === false) {
    throw new FhirError('FORBIDDEN', 'This server does not read all partitions at once.');
  }
  return finish(tenant.partitions);
}

async function decideGranted(
  options: TenantPartitionOptions & { readonly grant: GrantSource },
  request: RequestDetails,
  finish: Finish,
): Promise<PartitionChoice | undefined> {
  const grant = await options.grant(request);
  if (grant === undefined) return decideNamed(options, request, finish);
  if (grant.kind === 'public') return toGrantedChoice(grant, undefined);
  const tenants = readTenants([...options.sources, ...(options.witnesses ?? [])], request);
  if (!tenants.every(({ partitions }) => isGranted(grant, partitions))) throw notGranted();
  assertAgreement(tenants);
  request.attributes.set(DECIDED, grant.kind === 'all' ? 'name' : 'grant');
  return finish(toGrantedChoice(grant, tenants[0]?.partitions));
}

function toReadChoice(
  options: TenantOptions,
  { interaction, resourceType }: Selected['target'],
  choice: PartitionChoice,
): PartitionChoice {
  if (!CHANGES.has(interaction)) return choice;
  if (choice.by === 'all') {
    throw new FhirError('PARTITION_REQUIRED_ONE', 'Resources can be changed under their own tenant only.');
  }
  if (isKeptInDefault(options, resourceType)) assertConformanceWrite(options, choice);
  return choice;
}

function toCreateChoice(
  options: TenantOptions,
  resourceType: string,
  choice: PartitionChoice,
): PartitionChoice {
  if (!isKeptInDefault(options, resourceType)) return choice;
  const insteadOf = onlyOne(choice);
  if (insteadOf === undefined) return choice;
  assertConformanceWrite(options, choice);
  return { by: 'default', insteadOf };
}

function assertConformanceWrite(options: TenantOptions, choice: PartitionChoice): void {
  if (options.conformanceWrites !== 'reject' || isDefault(choice)) return;
  throw new FhirError('NOT_PARTITIONABLE', 'This type can be written under the tenant DEFAULT only.');
}

/** The name or id of a choice of one partition. */
function onlyOne(choice: PartitionChoice): string | number | undefined {
  if (choice.by === 'name') return choice.names.length === 1 ? choice.names[0] : undefined;
  if (choice.by === 'id') return choice.ids.length === 1 ? choice.ids[0] : undefined;
  return undefined;
}

function isDefault(choice: PartitionChoice): boolean {
  const one = onlyOne(choice);
  return choice.by === 'default' || one === 0 || one === DEFAULT_PARTITION_NAME;
}

/** Compares ids with names, and what was decided here with what another tenant interceptor reads. */
function assertSelected(sources: readonly TenantSource[], { request, target, ...selected }: Selected): void {
  const decided = request.attributes.get(DECIDED);
  // A type of DEFAULT's is served under every tenant, so the selection says nothing about the names.
  if (decided === undefined || isPinned(target.resourceType)) return;
  const tenants = readTenants(sources, request);
  const other = tenants.find(({ partitions }) => !isSelected(partitions, selected));
  if (other === undefined) return;
  throw decided === 'grant' ? notGranted() : mismatch(other.place, 'another place of the request');
}

function isKeptInDefault(
  { partitionSearchParameters = false }: TenantOptions,
  resourceType: string | undefined,
): boolean {
  return isPinned(resourceType) && !(partitionSearchParameters && resourceType === 'SearchParameter');
}

function isPinned(resourceType: string | undefined): boolean {
  return resourceType !== undefined && NON_PARTITIONABLE_TYPES.has(resourceType);
}

function notGranted(): FhirError {
  return new FhirError('FORBIDDEN', 'The token does not grant this tenant.');
}
