import type { Interceptor, Settings } from '../src/index.js';
import { autoCreatePartition } from './auto-create-partition.js';
import type { AutoCreatePartitionOptions } from './auto-create-partition.js';
import { tenantPartition } from './tenant-partition.js';
import { partitionIdsHeader, tenantHeader, urlTenant } from './tenant-source.js';
import type { TenantSource } from './tenant-source.js';
import { principalGrant, tokenGrant } from './token-partition.js';
import type { GrantSource } from './tenant-grant.js';

/** Your own interceptors are asked before the tenant of URL or header counts, whatever order of theirs is usual. */
const ASKED_LAST = 1000;
/** A token is looked at first: whoever answered before it would let requests in without one. */
const ASKED_FIRST = -1000;

/**
 * The interceptors that the settings ask for: one that reads every place that `partitioning` lists, so that
 * places that disagree are refused; none with `interceptors` or `off`. Where no place names a tenant, it is
 * DEFAULT. `server.partitions` is called late, since the server is made after its interceptors.
 * @throws Error for settings that contradict each other.
 */
export function partitionSources(
  settings: Settings,
  server: Pick<AutoCreatePartitionOptions, 'partitions'>,
): readonly Interceptor[] {
  const { partitioning: modes, autoCreatePartitions, unnamedPartitions } = settings;
  if (modes.includes('interceptors') || modes.includes('off')) return [];
  const interceptor = toInterceptor(settings);
  if (!autoCreatePartitions || unnamedPartitions) return [interceptor];
  return [autoCreatePartition(interceptor, server)];
}

function toInterceptor(settings: Settings): Interceptor {
  const { partitioning: modes, conformanceWrites, unnamedPartitions, partitionSearchParameters } = settings;
  const allPartitions = settings.allPartitionsTenant;
  const options = { conformanceWrites, unnamedPartitions, allPartitions, partitionSearchParameters };
  const grant = modes.includes('token') ? { grant: grantOf(settings) } : {};
  const sources = modes.flatMap((mode) => sourcesOf(mode, settings));
  const witnesses = modes.includes('url') ? [] : [urlTenant(options)];
  const urlOnly = modes.length === 1 && modes[0] === 'url';
  const name = urlOnly ? 'request-tenant-partition' : `tenant-by-${modes.join('-')}`;
  return tenantPartition({
    ...options,
    ...grant,
    name,
    order: modes.includes('token') ? ASKED_FIRST : ASKED_LAST,
    sources,
    witnesses,
    otherwise: 'default',
  });
}

function sourcesOf(mode: Settings['partitioning'][number], settings: Settings): readonly TenantSource[] {
  if (mode === 'url') return [urlTenant(settings)];
  if (mode !== 'header') return [];
  return [tenantHeader(settings.tenantHeader, settings), partitionIdsHeader(settings.partitionIdsHeader)];
}

function grantOf({ tokenJwksUrl, tokenIssuer, tokenAudience, ...settings }: Settings): GrantSource {
  if (settings.auth === 'on') return principalGrant();
  if (tokenJwksUrl === undefined || tokenIssuer === undefined || tokenAudience === undefined) {
    throw new Error('Partitioning by token needs tokenJwksUrl, tokenIssuer and tokenAudience.');
  }
  if (settings.unnamedPartitions) throw new Error('Partitioning by token needs partitions with names.');
  return tokenGrant({
    jwksUrl: tokenJwksUrl,
    issuer: tokenIssuer,
    audience: tokenAudience,
    claim: settings.tokenTenantClaim,
    algorithms: settings.tokenAlgorithms,
    clockToleranceSeconds: settings.tokenClockToleranceSeconds,
    outgoingAllow: settings.outgoingAllow,
  });
}
