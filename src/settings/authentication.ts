import { z } from 'zod';
import { webUrl } from './addresses.js';
import { flag, integer, list, oneOf, optional, secret, setting, text } from './kinds.js';
import { TOKEN_ALGORITHMS, tokenIssuers } from './token-issuer.js';

const algorithms = list(z.enum(TOKEN_ALGORITHMS), TOKEN_ALGORITHMS.map((name) => `\`${name}\``).join(', '));

const NETWORK_OR_HOST = /^(\[?[0-9A-Fa-f:.]+\]?(\/\d{1,3})?|[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)$/;

const places = list(
  z.string().regex(NETWORK_OR_HOST),
  'a list of host names, addresses and networks such as `10.1.0.0/16`',
);

/** Settings about who may enter, and whom the server calls to find out. */
export const AUTHENTICATION_SETTINGS = {
  auth: setting(
    oneOf('off', 'on'),
    'off',
    'With `on` every request needs a bearer token, but `metadata` and the like. With `off` everybody may do everything, so the server listens on the loopback address alone.',
  ),
  authOffAnywhere: setting(
    flag(),
    false,
    'With `auth` `off`: listens on every address all the same. Whoever reaches the server may do everything.',
  ),
  tokenJwksUrl: optional(
    webUrl,
    'Key set (JWKS) that bearer tokens are verified with; needed with `token`. With `auth` `on` it is discovered at the issuer if left out.',
  ),
  tokenIssuer: optional(text(), 'The `iss` that a bearer token must have; needed with `token`.'),
  tokenAudience: optional(text(), 'The `aud` that a bearer token must have; needed with `token`.'),
  tokenTenantClaim: setting(text(), 'tenant_id', 'Claim of a bearer token that names the tenant.'),
  tokenIssuers: setting(tokenIssuers, [], 'With `auth` `on`: more issuers of tokens; see authentication.md.'),
  tokenAlgorithms: setting(
    algorithms,
    ['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384'],
    'Algorithms that bearer tokens may be signed with.',
  ),
  tokenClockToleranceSeconds: setting(
    integer(0, 300),
    5,
    "How far an issuer's clock may differ from this server's.",
  ),
  tokenAdminScope: setting(
    text(),
    'bulkhead.admin',
    'With `auth` `on`: scope whose holders may manage the server: partitions, reindexing, explanations, metrics.',
  ),
  tokenIntrospectionUrl: optional(
    webUrl,
    'With `auth` `on`: where tokens that are no JWT are asked about (RFC 7662); without it they are refused.',
  ),
  tokenIntrospectionClientId: optional(text(), 'The client that this server introspects tokens as.'),
  tokenIntrospectionClientSecret: secret(text(), "That client's secret."),
  outgoingAllow: setting(
    places,
    [],
    'Hosts and networks that the server may call although they are private, speak plain HTTP or listen on an unusual port.',
  ),
} as const;
