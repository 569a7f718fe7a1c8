import { Authenticator, type OpaqueTokens } from './auth/authenticator.js';
import { type ClaimRules, principalFrom } from './auth/claims.js';
import { discoverKeySet } from './auth/discovery.js';
import { Introspection } from './auth/introspection.js';
import { type TokenIssuer, TokenIssuers } from './auth/issuers.js';
import { plainOrigins } from './auth/plain-origins.js';
import { remoteKeys } from './auth/remote-keys.js';
import { OutgoingCalls } from './outgoing/outgoing-calls.js';
import type { Settings } from './settings/schema.js';
import type { IssuerSetting } from './settings/token-issuer.js';

/** What the issuers of one server share. */
interface Shared {
  readonly settings: Settings;
  readonly calls: OutgoingCalls;
  readonly clock: () => number;
}

/**
 * Who finds out who makes a request; undefined where nobody is asked. Issuers that the server itself is may be added to
 * its `issuers`.
 */
export function makeAuthenticator(settings: Settings, clock: () => number): Authenticator | undefined {
  if (settings.auth === 'off') return undefined;
  const origins = plainOrigins(calledUrls(settings));
  const calls = new OutgoingCalls({ allow: settings.outgoingAllow, origins });
  const shared = { settings, calls, clock };
  return new Authenticator({
    issuers: new TokenIssuers(issuerSettings(settings).map((issuer) => toIssuer(issuer, shared))),
    opaque: opaqueTokens(shared),
    clock,
    toleranceSeconds: settings.tokenClockToleranceSeconds,
  });
}

/** The issuer of the single settings is the first. */
function issuerSettings(settings: Settings): readonly IssuerSetting[] {
  const { tokenIssuer: issuer, tokenJwksUrl: jwksUrl, tokenAdminScope: adminScope } = settings;
  return issuer === undefined
    ? settings.tokenIssuers
    : [{ issuer, jwksUrl, adminScope }, ...settings.tokenIssuers];
}

function calledUrls(settings: Settings): readonly (string | undefined)[] {
  const issuers = issuerSettings(settings).map(({ issuer, jwksUrl }) => jwksUrl ?? issuer);
  return [settings.tokenIntrospectionUrl, ...issuers];
}

function toIssuer(described: IssuerSetting, { settings, calls, clock }: Shared): TokenIssuer {
  const { issuer, jwksUrl, audience = settings.tokenAudience ?? '' } = described;
  const { algorithms = settings.tokenAlgorithms } = described;
  const url = jwksUrl === undefined ? () => discoverKeySet(calls, issuer) : () => jwksUrl;
  const rules = rulesOf(described, settings);
  return {
    issuer,
    audience,
    algorithms,
    keys: remoteKeys({ calls, url, clock }),
    toPrincipal: (claims) => principalFrom(claims, rules, (claims.exp ?? 0) * 1000),
  };
}

/** The word that makes administrators is the whole server's, which an issuer of a tenant has no say in. */
function rulesOf(
  { tenantClaim, partitions, adminScope }: Partial<IssuerSetting>,
  settings: Settings,
): ClaimRules {
  const everybody = partitions === undefined ? settings.tokenAdminScope : undefined;
  return {
    tenantClaim: tenantClaim ?? settings.tokenTenantClaim,
    partitions,
    adminScope: adminScope ?? everybody,
  };
}

function opaqueTokens({ settings, calls, clock }: Shared): OpaqueTokens | undefined {
  const { tokenIntrospectionUrl: url, tokenIssuer: issuer, tokenAudience: audience } = settings;
  const { tokenIntrospectionClientId: clientId, tokenIntrospectionClientSecret: clientSecret } = settings;
  if (url === undefined || audience === undefined || clientId === undefined || clientSecret === undefined) {
    return undefined;
  }
  const times = { clock, toleranceSeconds: settings.tokenClockToleranceSeconds };
  const introspection = new Introspection({ ...times, calls, url, clientId, clientSecret, issuer, audience });
  const rules = rulesOf({}, settings);
  return async (token) => {
    const { claims, expires } = await introspection.claimsOf(token);
    return principalFrom(claims, rules, expires);
  };
}
