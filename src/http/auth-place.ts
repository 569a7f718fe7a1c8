import type { AuthorizationPlace } from '../auth/server/authorization-server.js';
import type { RequestOptions } from './request-details.js';

/** What of the authorization server a URL means. */
export interface AuthPlace extends AuthorizationPlace {
  readonly endpoint: 'token' | 'jwks' | 'authorize' | 'smart-configuration';
}

const ENDPOINTS: Readonly<Record<string, AuthPlace['endpoint']>> = {
  '/auth/token': 'token',
  '/auth/jwks': 'jwks',
  '/auth/authorize': 'authorize',
  '/.well-known/smart-configuration': 'smart-configuration',
};
const ENDING = /\/(?:auth\/(?:token|jwks|authorize)|\.well-known\/smart-configuration)$/;
const TENANT = /^\/[A-Za-z0-9_-]{1,200}$/;

/**
 * The endpoint that a URL leads to, of the server or of a tenant; undefined for all others. Clients also look for the
 * configuration at the root of the host.
 */
export function authPlaceOf(
  url: string,
  { basePath, urlTenants, serverBase }: RequestOptions,
): AuthPlace | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const [ending] = ENDING.exec(path) ?? [];
  const endpoint = ending === undefined ? undefined : ENDPOINTS[ending];
  if (ending === undefined || endpoint === undefined) return undefined;
  const server = { endpoint, tenant: undefined, serverBase: serverBase(), base: serverBase() };
  const before = path.slice(0, -ending.length);
  if (before === basePath || (before === '' && endpoint === 'smart-configuration')) return server;
  if (!before.startsWith(`${basePath}/`)) return undefined;
  const tenant = before.slice(basePath.length);
  if (!urlTenants || !TENANT.test(tenant) || endpoint === 'jwks') return undefined;
  return { ...server, tenant: tenant.slice(1), base: server.base + tenant };
}
