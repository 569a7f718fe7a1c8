import { isResourceType } from '../fhir/definitions.js';
import { FhirError } from '../model/errors.js';
import { ALL_PARTITIONS_NAME } from '../model/partition.js';

/** The path split into the tenant that it names, if any, and the rest. */
export interface TenantPath {
  readonly tenant: string | undefined;
  readonly segments: readonly string[];
}

const TENANT = /^[A-Za-z0-9_-]{1,200}$/;
const RESERVED = new Set(['metadata', '_history', '_search']);

/**
 * Takes the tenant off the path: the first segment, unless it is something that a request without a tenant
 * begins with. Tenant names can be none of these words, so there is no ambiguity.
 * @throws FhirError TENANT_MALFORMED
 */
export function splitTenant(segments: readonly string[]): TenantPath {
  const [first] = segments;
  if (first === undefined || first.startsWith('$') || RESERVED.has(first) || isResourceType(first)) {
    return { tenant: undefined, segments };
  }
  if (!TENANT.test(first) || (first.startsWith('_') && first !== ALL_PARTITIONS_NAME)) {
    throw new FhirError('TENANT_MALFORMED', `'${first.slice(0, 80)}' in the URL cannot be a tenant.`);
  }
  return { tenant: first, segments: segments.slice(1) };
}
