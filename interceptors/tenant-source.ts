import { ALL_PARTITIONS_NAME, DEFAULT_PARTITION_NAME, FhirError } from '../src/index.js';
import type { PartitionChoice, RequestDetails } from '../src/index.js';

/** What a client may name: partitions by name, by id, or all of them. */
export type NamedPartitions = Extract<PartitionChoice, { readonly by: 'name' | 'id' | 'all' }>;

/** One place of a request where a client may name its tenant. */
export interface TenantSource {
  /** As a client knows it, to stand in messages: `the URL`, `X-Tenant-ID`. */
  readonly place: string;
  /**
   * What the request names there; undefined where it names nothing.
   * @throws FhirError TENANT_MALFORMED: a typing error never falls through to another source.
   */
  readonly read: (request: RequestDetails) => NamedPartitions | undefined;
}

const TENANT = /^[A-Za-z0-9_-]{1,200}$/;
const INTEGER = /^-?\d{1,10}$/;
const MAX_ID = 2 ** 31 - 1;
const MIN_ID = -(2 ** 31);

/** The first segment of the path below the base: `/fhir/acme/Patient`. */
export function urlTenant({ unnamedPartitions = false }: UnnamedOption = {}): TenantSource {
  const place = 'the URL';
  return {
    place,
    read: ({ urlTenant: text }) =>
      text === undefined ? undefined : toNamed(text, { place, unnamed: unnamedPartitions }),
  };
}

/** A header that holds one tenant's name: `X-Tenant-ID: acme`. */
export function tenantHeader(
  header = 'X-Tenant-ID',
  { unnamedPartitions = false }: UnnamedOption = {},
): TenantSource {
  return {
    place: header,
    read: (request) => {
      const text = onlyValue(request, header);
      return text === undefined ? undefined : toNamed(text, { place: header, unnamed: unnamedPartitions });
    },
  };
}

/** A header that lists partition ids, `DEFAULT`, or `_ALL` alone: `X-Request-Partition-IDs: 1,2,DEFAULT`. */
export function partitionIdsHeader(header = 'X-Request-Partition-IDs'): TenantSource {
  return {
    place: header,
    read: (request) => {
      const text = onlyValue(request, header);
      if (text === undefined) return undefined;
      if (text === ALL_PARTITIONS_NAME) return { by: 'all' };
      const [first, ...rest] = text.split(',').map((item) => toId(item.trim(), header));
      return { by: 'id', ids: [first ?? 0, ...rest] };
    },
  };
}

/** Tenants are ids where partitions have no names. */
export interface UnnamedOption {
  /** As the setting: every integer is a partition. */
  readonly unnamedPartitions?: boolean;
}

/** The request that came over the wire: an entry of a bundle has its headers from there. */
export function outermost(request: RequestDetails): RequestDetails {
  let outer = request;
  while (outer.parent !== undefined) outer = outer.parent;
  return outer;
}

/** Whether a text can be the name of a tenant: syntax only. */
export function isTenantName(text: string): boolean {
  return TENANT.test(text);
}

function toNamed(
  text: string,
  { place, unnamed }: { readonly place: string; readonly unnamed: boolean },
): NamedPartitions {
  if (text === ALL_PARTITIONS_NAME) return { by: 'all' };
  if (unnamed) return { by: 'id', ids: [toId(text, place)] };
  if (isTenantName(text)) return { by: 'name', names: [text] };
  throw malformed(place, 'a tenant is 1 to 200 characters of A-Z a-z 0-9 _ and -');
}

function toId(text: string, place: string): number {
  if (text === DEFAULT_PARTITION_NAME) return 0;
  const id = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (id >= MIN_ID && id <= MAX_ID) return id;
  throw malformed(place, `'${text.slice(0, 40)}' is not the id of a partition`);
}

function onlyValue(request: RequestDetails, header: string): string | undefined {
  const values = outermost(request).headers.get(header.toLowerCase());
  if (values === undefined) return undefined;
  if (values.length === 1) return values[0]?.trim();
  throw malformed(header, 'the header may be sent only once');
}

function malformed(place: string, problem: string): FhirError {
  return new FhirError('TENANT_MALFORMED', `The tenant in ${place} cannot be read: ${problem}.`);
}
