import type { Interceptor } from '../src/index.js';
import { tenantPartition } from './tenant-partition.js';
import type { TenantOptions } from './tenant-partition.js';
import { urlTenant } from './tenant-source.js';
import type { UnnamedOption } from './tenant-source.js';

/** Options of `requestTenantPartition`. */
export interface RequestTenantPartitionOptions extends TenantOptions, UnnamedOption {}

/**
 * The partition is the tenant in the URL: `/fhir/acme/Patient`. Without one it is DEFAULT. Types that live in
 * DEFAULT only are read and written there under every tenant that exists.
 *
 * ```ts
 * const server = await createTestServer({
 *   partitions: ['acme'],
 *   settings: { partitioning: ['interceptors'] },
 *   interceptors: [requestTenantPartition()],
 * });
 * ```
 */
export function requestTenantPartition(options: RequestTenantPartitionOptions = {}): Interceptor {
  return tenantPartition({
    ...options,
    name: 'request-tenant-partition',
    sources: [urlTenant(options)],
    otherwise: 'default',
  });
}
