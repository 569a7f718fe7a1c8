import { smartEndpoints } from '../../clients/smart-endpoints.js';
import type { Settings } from '../../settings/schema.js';
import { ASSERTION_ALGORITHMS } from './client-assertion.js';

/** What clients discover of a server or a tenant: https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known */
export interface SmartConfiguration {
  /** Where people log in by OpenID Connect, and only there. */
  readonly issuer?: string;
  readonly jwks_uri?: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly capabilities: readonly string[];
}

const SCOPES = ['system/*.cruds', 'system/*.rs', 'system/*.read', 'system/*.write', 'system/*.*'];
const CAPABILITIES = ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'];

/**
 * Undefined where there is nothing to discover. Validators insist on `authorization_code` and its endpoint: without
 * another server's, it is one that refuses everybody.
 */
export function smartConfiguration(
  settings: Settings,
  place: { readonly base: string; readonly serverBase: string },
): SmartConfiguration | undefined {
  const endpoints = smartEndpoints(settings, place);
  if (endpoints === undefined) return undefined;
  const { token, authorization, keys } = endpoints;
  const { smartCapabilities, tokenIssuer } = settings;
  const isOpenId = smartCapabilities.includes('sso-openid-connect') && tokenIssuer !== undefined;
  return {
    ...(isOpenId ? { issuer: tokenIssuer } : {}),
    ...(keys === undefined ? {} : { jwks_uri: keys }),
    authorization_endpoint: authorization,
    token_endpoint: token,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    grant_types_supported: ['client_credentials', 'authorization_code'],
    response_types_supported: ['code'],
    scopes_supported: SCOPES,
    code_challenge_methods_supported: ['S256'],
    capabilities: [...new Set([...CAPABILITIES, ...smartCapabilities])],
  };
}
