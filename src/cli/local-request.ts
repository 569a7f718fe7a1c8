import type { RequestDetails } from '../model/request.js';
import type { Bulkhead } from '../running-server.js';
import { serverBaseOf } from '../settings.js';
import type { PartitioningMode } from '../settings/schema.js';

/** What a command asks for; what is left out is as in a request without it. */
export type LocalRequest = Pick<RequestDetails, 'method' | 'interaction'> & Partial<RequestDetails>;

/**
 * Who finds the tenant of what a command asks for in its own process. There is no client: whoever may read the database
 * needs no token and sends no header, and the partition that was named stands for the tenant in the URL.
 */
export function localPartitioning(modes: readonly PartitioningMode[]): readonly PartitioningMode[] {
  return modes.includes('interceptors') || modes.includes('off') ? modes : ['url'];
}

/** The request as the server sees it. */
export function toLocalRequest(
  { settings, parts }: Bulkhead,
  partition: string,
  asked: LocalRequest,
): RequestDetails {
  const serverBase = serverBaseOf(settings, settings.port);
  const urlTenant = settings.partitioning.includes('off') ? undefined : partition;
  return {
    id: parts.newRequestId(),
    urlTenant,
    serverBase,
    base: urlTenant === undefined ? serverBase : `${serverBase}/${urlTenant}`,
    path: '',
    resourceType: undefined,
    resourceId: undefined,
    versionId: undefined,
    operation: undefined,
    parameters: [],
    headers: new Map(),
    body: undefined,
    parent: undefined,
    attributes: new Map(),
    ...asked,
  };
}
