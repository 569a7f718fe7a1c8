import type { IncomingMessage } from 'node:http';
import { FhirError } from '../model/errors.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import { parseTarget } from '../interactions/target.js';
import { RequestHeaders } from './request-headers.js';
import { parseRequestUrl } from './request-url.js';
import { splitTenant } from './tenant-url.js';

/** What reading a request needs of the settings. */
export interface RequestOptions {
  readonly basePath: string;
  /** Whether the first path segment may name a tenant. */
  readonly urlTenants: boolean;
  /** `http://host:port/fhir` as clients see it. */
  readonly serverBase: () => string;
}

/** Node's names of every method that FHIR or CORS knows. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * The request without its body. Undefined where the URL is not below the base path.
 * @throws FhirError for a URL, tenant or method that cannot be.
 */
export function readRequest(
  message: IncomingMessage,
  id: string,
  options: RequestOptions,
): RequestDetails | undefined {
  const url = parseRequestUrl(message.url ?? '/', options.basePath);
  if (!url) return undefined;
  const method = message.method ?? 'GET';
  if (!METHODS.has(method)) {
    const headers = { allow: [...METHODS, 'OPTIONS'].join(', ') };
    throw new FhirError('METHOD_NOT_ALLOWED', `${method.slice(0, 20)} is not supported.`, { headers });
  }
  const { tenant, segments } = options.urlTenants
    ? splitTenant(url.segments)
    : { tenant: undefined, segments: url.segments };
  const target = parseTarget(method, segments, url.parameters);
  const serverBase = options.serverBase();
  return {
    id,
    method,
    interaction: target.interaction,
    urlTenant: tenant,
    serverBase,
    base: tenant === undefined ? serverBase : `${serverBase}/${tenant}`,
    path: segments.join('/'),
    resourceType: target.resourceType,
    resourceId: target.resourceId,
    versionId: target.versionId,
    operation: target.operation,
    compartment: target.compartment,
    parameters: url.parameters,
    headers: new RequestHeaders(message),
    remoteAddress: message.socket.remoteAddress,
    body: undefined,
    parent: undefined,
    attributes: new Map(),
  };
}

/** The same request with what was read of its body. */
export function withBody(
  request: RequestDetails,
  body: unknown,
  parameters: readonly QueryParameter[] = request.parameters,
): RequestDetails {
  return { ...request, body, parameters };
}
