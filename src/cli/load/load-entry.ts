import { createHash } from 'node:crypto';
import { stringifyJson } from '../../fhir/json.js';
import { isResourceId } from '../../fhir/references.js';
import type { BundleEntry, Resource } from '../../model/resource.js';

/** One entry of what is sent, and where in its file it stands: entry or line, counted from 0. */
export interface LoadEntry extends BundleEntry {
  readonly position: number;
  readonly request: NonNullable<BundleEntry['request']>;
}

/**
 * The entry in a form that can be sent any number of times with the same result: a create becomes an update of
 * the id that the resource has, or that follows from its fullUrl or its content. A conditional create stays one,
 * and so does everything that is not a create.
 */
export function toRepeatable(entry: BundleEntry, position: number): LoadEntry | undefined {
  const { resource, request, ...rest } = entry;
  if (request !== undefined && !isPlainCreate(request)) {
    return { ...rest, ...(resource === undefined ? {} : { resource }), request, position };
  }
  if (resource === undefined) return undefined;
  const id = resource.id ?? idFromUrl(entry.fullUrl) ?? idFromContent(resource);
  const url = `${resource.resourceType}/${id}`;
  return { ...rest, resource: { ...resource, id }, request: { method: 'PUT', url }, position };
}

/** `Type/id` that the entry is written to, where that is known before it is sent. */
export function targetOf({ request, resource }: LoadEntry): string | undefined {
  if (request.method !== 'PUT' || resource?.id === undefined) return undefined;
  return request.url === `${resource.resourceType}/${resource.id}` ? request.url : undefined;
}

function isPlainCreate({ method, url, ifNoneExist }: NonNullable<BundleEntry['request']>): boolean {
  return method === 'POST' && ifNoneExist === undefined && !url.includes('$');
}

function idFromUrl(fullUrl: string | undefined): string | undefined {
  const id = /^urn:uuid:(.+)$/i.exec(fullUrl ?? '')?.[1];
  return id !== undefined && isResourceId(id) ? id : undefined;
}

/** 32 hexadecimal digits of the SHA-256 of the resource, after a letter: a server may refuse ids of digits alone. */
function idFromContent(resource: Resource): string {
  return `x${createHash('sha256').update(stringifyJson(resource)).digest('hex').slice(0, 32)}`;
}
