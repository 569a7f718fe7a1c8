import { isResourceType } from '../fhir/definitions.js';
import { parseJson } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { Bundle, BundleEntry, Resource } from '../model/resource.js';
import { isJsonObject } from './incoming.js';
import { parseQuery } from './query.js';
import type { ServerParts } from './server-parts.js';
import { parseTarget } from './target.js';

/** One entry of a batch or transaction as a request of its own. */
export interface EntryRequest {
  readonly index: number;
  readonly request: RequestDetails;
  readonly fullUrl: string | undefined;
  readonly resource: Resource | undefined;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Headers of the bundle's own request that must not act on its entries. */
const OWN_HEADERS = [
  'if-match',
  'if-none-match',
  'if-none-exist',
  'if-modified-since',
  'if-unmodified-since',
  'content-type',
  'content-length',
];

const CONDITIONS = [
  ['ifMatch', 'if-match'],
  ['ifNoneMatch', 'if-none-match'],
  ['ifNoneExist', 'if-none-exist'],
  ['ifModifiedSince', 'if-modified-since'],
] as const;

/**
 * The body as a Bundle with no more entries than allowed.
 * @throws FhirError INVALID_REQUEST, LIMIT_EXCEEDED
 */
export function acceptBundle(server: ServerParts, request: RequestDetails): Bundle {
  const { body } = request;
  if (!isJsonObject(body) || body['resourceType'] !== 'Bundle') {
    throw new FhirError('INVALID_REQUEST', 'The body must be a Bundle of type batch or transaction.');
  }
  const { type, entry } = body;
  if (type !== 'batch' && type !== 'transaction') {
    const what = typeof type === 'string' ? `of type '${type.slice(0, 40)}'` : 'without a type';
    throw new FhirError(
      'INVALID_REQUEST',
      `A Bundle ${what} cannot be processed here; send batch or transaction.`,
      { expression: ['Bundle.type'] },
    );
  }
  if (entry !== undefined && !Array.isArray(entry)) {
    throw new FhirError('INVALID_REQUEST', 'Bundle.entry must be a list.', { expression: ['Bundle.entry'] });
  }
  const { maxBundleEntries } = server.settings;
  if ((entry?.length ?? 0) > maxBundleEntries) {
    throw new FhirError(
      'LIMIT_EXCEEDED',
      `The Bundle has ${entry?.length} entries; at most ${maxBundleEntries} are allowed.`,
      {
        status: 413,
      },
    );
  }
  return body as unknown as Bundle;
}

/** @throws FhirError INVALID_REQUEST, TENANT_MISMATCH and what a URL can be refused for, with the entry's place. */
export function toEntryRequest(parent: RequestDetails, entry: BundleEntry, index: number): EntryRequest {
  const place = `Bundle.entry[${index}]`;
  if (!isJsonObject(entry) || !isJsonObject(entry.request)) {
    throw new FhirError('INVALID_REQUEST', `${place} has no request.`, { expression: [`${place}.request`] });
  }
  const { method, url } = entry.request as { readonly method?: unknown; readonly url?: unknown };
  if (typeof method !== 'string' || typeof url !== 'string') {
    throw new FhirError('INVALID_REQUEST', `${place}.request needs a method and a url.`, {
      expression: [`${place}.request`],
    });
  }
  if (!METHODS.has(method)) {
    const message = `${place}.request.method is '${method.slice(0, 40)}'; use one of ${[...METHODS].join(', ')}.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: [`${place}.request.method`] });
  }
  const { segments, parameters } = splitEntryUrl(parent, url, `${place}.request.url`);
  const target = parseTarget(method, segments, parameters);
  if (target.interaction === 'batch') {
    throw new FhirError('INVALID_REQUEST', `${place} is a bundle in a bundle, which is not allowed.`, {
      expression: [place],
    });
  }
  const request: RequestDetails = {
    ...parent,
    method,
    interaction: target.interaction,
    path: segments.join('/'),
    resourceType: target.resourceType,
    resourceId: target.resourceId,
    versionId: target.versionId,
    operation: target.operation,
    compartment: target.compartment,
    parameters,
    headers: entryHeaders(parent, entry, place),
    body: target.interaction === 'patch' ? patchBody(entry.resource, place) : entry.resource,
    parent,
    attributes: new Map(parent.attributes),
  };
  const { fullUrl } = entry;
  return {
    index,
    request,
    fullUrl: typeof fullUrl === 'string' ? fullUrl : undefined,
    resource: toResource(entry, place),
  };
}

/**
 * A FHIRPath Patch is a Parameters resource, a JSON Patch comes in a Binary (https://hl7.org/fhir/R4/http.html#patch).
 * @throws FhirError INVALID_REQUEST
 */
export function patchBody(resource: Resource | undefined, place: string): unknown {
  if (!isJsonObject(resource) || resource['resourceType'] !== 'Binary') return resource;
  try {
    return parseJson(Buffer.from(String(resource['data']), 'base64'));
  } catch (cause) {
    throw new FhirError('INVALID_REQUEST', 'The Binary does not hold a JSON Patch.', {
      cause,
      expression: [`${place}.resource.data`],
    });
  }
}

function toResource(entry: BundleEntry, place: string): Resource | undefined {
  const { resource } = entry;
  if (resource === undefined) return undefined;
  if (isJsonObject(resource) && typeof resource['resourceType'] === 'string') return resource as Resource;
  throw new FhirError('INVALID_REQUEST', `${place}.resource is not a resource.`, {
    expression: [`${place}.resource`],
  });
}

/** Relative to the base of the bundle's request, or that base in full. Another tenant's URL is refused. */
function splitEntryUrl(
  parent: RequestDetails,
  url: string,
  place: string,
): { segments: readonly string[]; parameters: readonly QueryParameter[] } {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const parameters = parseQuery(mark < 0 ? '' : url.slice(mark + 1));
  const relative = toRelative(parent, path, place);
  const segments = relative.split('/').filter((segment) => segment !== '');
  if (parent.urlTenant !== undefined && segments[0] === parent.urlTenant) segments.shift();
  if (namesTenant(segments)) throw foreignUrl(url, place);
  return { segments, parameters };
}

function toRelative(parent: RequestDetails, path: string, place: string): string {
  if (path.startsWith(`${parent.base}/`)) return path.slice(parent.base.length + 1);
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('//') || path.split('/').includes('..'))
    throw foreignUrl(path, place);
  return path.replace(/^\//, '');
}

/** Whether the first segment can only be a tenant. `Foo/1` may be a mistyped resource, `Foo/Patient/1` is none. */
function namesTenant([first, second]: readonly string[]): boolean {
  if (first === undefined || isResourceType(first)) return false;
  return !/^([A-Z$]|_history$|metadata$)/.test(first) || (second !== undefined && isResourceType(second));
}

function foreignUrl(url: string, place: string): FhirError {
  const message = `'${url.slice(0, 200)}' is not a URL below the base that the Bundle was sent to.`;
  return new FhirError('TENANT_MISMATCH', message, { expression: [place] });
}

function entryHeaders(
  parent: RequestDetails,
  entry: BundleEntry,
  place: string,
): ReadonlyMap<string, readonly string[]> {
  const headers = new Map(parent.headers);
  for (const name of OWN_HEADERS) headers.delete(name);
  for (const [element, name] of CONDITIONS) {
    const value: unknown = entry.request?.[element];
    if (value === undefined) continue;
    if (typeof value !== 'string') {
      throw new FhirError('INVALID_REQUEST', `${place}.request.${element} must be text.`, {
        expression: [`${place}.request.${element}`],
      });
    }
    headers.set(name, [value]);
  }
  return headers;
}
