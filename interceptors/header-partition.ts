import type { Interceptor } from '../src/index.js';
import { tenantPartition } from './tenant-partition.js';
import type { TenantOptions } from './tenant-partition.js';
import { partitionIdsHeader, tenantHeader, urlTenant } from './tenant-source.js';
import type { UnnamedOption } from './tenant-source.js';

/** Options of `headerPartition`. */
export interface HeaderPartitionOptions extends TenantOptions, UnnamedOption {
  /** Header with a tenant's name; `X-Tenant-ID` if left out. */
  readonly tenantHeader?: string;
  /** Header with partition ids; `X-Request-Partition-IDs` if left out. */
  readonly idsHeader?: string;
  /** Without either header: the next interceptor is asked (if left out), or it is DEFAULT. */
  readonly otherwise?: 'ask-next' | 'default';
}

/** Asked before the interceptors of order 0, since the URL's answers for every request. */
export const HEADER_ORDER = -10;

/**
 * The partition is named by a header: `X-Tenant-ID: acme`, or by ids `X-Request-Partition-IDs: 1,2,DEFAULT`.
 * `_ALL` in either reads all. What cannot be read is 400 TENANT_MALFORMED at once; both headers, and a tenant
 * in the URL, must mean the same.
 */
export function headerPartition(options: HeaderPartitionOptions = {}): Interceptor {
  return tenantPartition({
    ...options,
    name: 'header-partition',
    order: HEADER_ORDER,
    sources: [tenantHeader(options.tenantHeader, options), partitionIdsHeader(options.idsHeader)],
    witnesses: [urlTenant(options)],
    otherwise: options.otherwise ?? 'ask-next',
  });
}
