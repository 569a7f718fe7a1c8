import type { JWTPayload } from 'jose';
import { ALL_PARTITIONS_NAME } from '../model/partition.js';
import type { Principal, TenantGrants } from '../model/principal.js';

/** How the claims of an issuer's tokens are understood. */
export interface ClaimRules {
  /** The claim with the tenant's name, a list of names, or `_ALL`. */
  readonly tenantClaim: string;
  /** Partitions that the issuer is bound to; undefined: none, its claims decide. */
  readonly partitions: readonly string[] | undefined;
  /** Scope whose holders may manage the server; undefined: nobody may. */
  readonly adminScope: string | undefined;
}

/** What claims that were verified grant; `expires` in milliseconds since 1970 UTC. */
export function principalFrom(claims: JWTPayload, rules: ClaimRules, expires: number): Principal {
  const scopes = scopesOf(claims);
  const issuer = text(claims.iss) ?? '';
  const subject = text(claims.sub);
  const client = text(claims['client_id']) ?? text(claims['azp']);
  const patient = text(claims['patient']);
  const fhirUser = text(claims['fhirUser']);
  const tokenId = text(claims.jti);
  return {
    issuer,
    scopes,
    tenants: tenantsOf(claims[rules.tenantClaim], rules.partitions),
    admin: rules.adminScope !== undefined && scopes.includes(rules.adminScope),
    expires,
    ...(subject === undefined ? {} : { subject }),
    ...(client === undefined ? {} : { client }),
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
}

/** `scope` as RFC 8693 has it, `scp` as others do. */
function scopesOf(claims: JWTPayload): readonly string[] {
  const value: unknown = claims['scope'] ?? claims['scp'];
  const words: readonly unknown[] = typeof value === 'string' ? value.split(' ') : toList(value);
  return words.filter((word): word is string => typeof word === 'string' && word !== '');
}

/** An issuer that is bound to partitions grants no others, and all of those where its token names none. */
function tenantsOf(claim: unknown, bound: readonly string[] | undefined): TenantGrants {
  const claimed = claimedTenants(claim);
  if (bound === undefined) return claimed ?? NONE;
  if (claimed === undefined || claimed.kind === 'all') return { kind: 'names', names: bound };
  if (claimed.kind === 'none') return NONE;
  return namesOf(claimed.names.filter((name) => bound.includes(name)));
}

/** Undefined where the token says nothing; what cannot be understood grants nothing. */
function claimedTenants(claim: unknown): TenantGrants | undefined {
  if (claim === undefined) return undefined;
  const names = toList(claim);
  if (names.length === 1 && names[0] === ALL_PARTITIONS_NAME) return { kind: 'all' };
  return names.every(isName) ? namesOf(names) : NONE;
}

function namesOf(names: readonly string[]): TenantGrants {
  return names.length === 0 ? NONE : { kind: 'names', names };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value !== ALL_PARTITIONS_NAME;
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const NONE: TenantGrants = { kind: 'none' };
