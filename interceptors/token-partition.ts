import {
  ALL_PARTITIONS_NAME,
  bearerTokenOf,
  DEFAULT_PARTITION_NAME,
  FhirError,
  loginRequired,
  principalOf,
  SUBJECT,
  tokenVerifier,
} from '../src/index.js';
import type { Interceptor, TokenVerifierOptions } from '../src/index.js';
import type { GrantSource, TenantGrant } from './tenant-grant.js';
import { tenantPartition } from './tenant-partition.js';
import type { TenantOptions } from './tenant-partition.js';
import { isTenantName, urlTenant } from './tenant-source.js';
import type { TenantSource } from './tenant-source.js';

/** How tokens become grants. */
export interface TokenGrantOptions extends TokenVerifierOptions {
  /** The claim with the tenant's name, a list of names, or `_ALL`; `tenant_id` if left out. */
  readonly claim?: string;
  /** Whether a request without a token is 401; true if left out. `metadata` is open to everybody. */
  readonly requireToken?: boolean;
}

/** Options of `tokenPartition`. */
export interface TokenPartitionOptions extends TokenGrantOptions, Omit<TenantOptions, 'allPartitions'> {
  /** Where the request may choose among the tenants that the token grants; the URL if left out. */
  readonly sources?: readonly TenantSource[];
}

/** Asked before headers and URL, so that nobody learns which tenants exist. */
export const TOKEN_ORDER = -20;

/**
 * The partition is the tenant in a claim of the verified bearer token. A tenant in the URL must be one that
 * the token grants: else 403, whether it exists or not. A missing or bad token is 401, a claim that cannot be
 * read 403, and 503 while the issuer's keys cannot be had.
 */
export function tokenPartition(options: TokenPartitionOptions): Interceptor {
  const { conformanceWrites = 'default', sources = [urlTenant()] } = options;
  return tenantPartition({
    name: 'token-partition',
    order: TOKEN_ORDER,
    conformanceWrites,
    sources,
    grant: tokenGrant(options),
    otherwise: 'ask-next',
  });
}

/** What the bearer token of a request grants. */
export function tokenGrant(options: TokenGrantOptions): GrantSource {
  const { claim = 'tenant_id', requireToken = true } = options;
  const verify = tokenVerifier(options);
  return async (request) => {
    const token = bearerTokenOf(request);
    if (token !== undefined) {
      const claims = await verify(token);
      if (claims.sub !== undefined && !request.attributes.has(SUBJECT)) {
        request.attributes.set(SUBJECT, claims.sub);
      }
      return toGrant(claims, claim);
    }
    if (!requireToken) return undefined;
    if (request.interaction === 'capabilities') return { kind: 'public' };
    throw loginRequired('A bearer token is needed.', 'Bearer');
  };
}

/**
 * What the token of a request grants that authentication has believed already; `metadata` is open to everybody. Needs
 * the setting `auth` to be `on`.
 */
export function principalGrant(): GrantSource {
  return (request) => {
    const { tenants, admin } = principalOf(request) ?? {};
    if (tenants === undefined && request.interaction === 'capabilities') return { kind: 'public' };
    if (tenants?.kind === 'all') return tenants;
    const [first, ...rest] = tenants?.kind === 'names' ? tenants.names : [];
    if (first !== undefined) return { kind: 'names', names: [first, ...rest] };
    // Whoever manages the server and no tenant does so in DEFAULT.
    if (admin) return { kind: 'names', names: [DEFAULT_PARTITION_NAME] };
    throw new FhirError('FORBIDDEN', 'The token names no tenant.');
  };
}

function toGrant(claims: Readonly<Record<string, unknown>>, claim: string): TenantGrant {
  const value = claims[claim];
  const [first, ...rest]: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (first === ALL_PARTITIONS_NAME && rest.length === 0) return { kind: 'all' };
  if (isName(first) && rest.every(isName)) return { kind: 'names', names: [first, ...rest] };
  throw new FhirError('FORBIDDEN', `The claim ${claim} of the token names no tenant.`);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && isTenantName(value);
}
