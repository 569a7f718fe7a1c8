import type { Bundle, Meta, Resource } from '../model/resource.js';

/** The system of the tags by which everything that a run has written is found again. */
export const TAG_SYSTEM = 'urn:bulkhead:verify-isolation';

/** A body whose resources carry tags with these codes; those of a Bundle are the ones in its entries. */
export function marked(body: object | string, codes: readonly string[]): object | string {
  if (typeof body === 'string' || !isResource(body) || body.resourceType === 'Parameters') return body;
  if (body.resourceType !== 'Bundle') return withTags(body, codes);
  const { entry = [] } = body as Bundle;
  return {
    ...body,
    entry: entry.map((one) => (one.resource ? { ...one, resource: withTags(one.resource, codes) } : one)),
  };
}

function isResource(body: object): body is Resource {
  return 'resourceType' in body;
}

function withTags(resource: Resource, codes: readonly string[]): Resource {
  const tag = codes.map((code) => ({ system: TAG_SYSTEM, code }));
  const meta: Meta = { ...resource.meta, tag: [...(resource.meta?.tag ?? []), ...tag] };
  return { ...resource, meta };
}
