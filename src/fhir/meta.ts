import type { Coding, Meta, Resource } from '../model/resource.js';

/** What the server decides about a version. `updated` is in milliseconds since 1970 UTC. */
export interface ServerMeta {
  readonly id: string;
  readonly version: number;
  readonly updated: number;
}

/**
 * The resource as it is stored: `resourceType`, `id` and `meta` first, then what the client sent, in its order.
 * The client's `versionId` and `lastUpdated` count for nothing. Its profiles, tags and security labels are the new
 * version's, all of them: an update replaces what the previous version had, as it replaces every other element, and
 * `$meta-add` and `$meta-delete` are there to change labels alone (https://hl7.org/fhir/R4/resource.html#tag-updates).
 */
export function withServerMeta(resource: Resource, { id, version, updated }: ServerMeta): Resource {
  const { resourceType, id: _id, meta = {}, ...elements } = resource;
  const { versionId: _version, lastUpdated: _updated, ...labels } = meta;
  const serverMeta = { versionId: String(version), lastUpdated: new Date(updated).toISOString(), ...labels };
  return { resourceType, id, meta: serverMeta, ...elements };
}

/** The labels of `meta` and those of `added`, each once (https://hl7.org/fhir/R4/resource-operation-meta-add.html). */
export function metaAdd(meta: Meta, added: Meta): Meta {
  return withLabels(meta, {
    profile: distinct([...(meta.profile ?? []), ...(added.profile ?? [])], (url) => url),
    security: distinct([...(meta.security ?? []), ...(added.security ?? [])], codingKey),
    tag: distinct([...(meta.tag ?? []), ...(added.tag ?? [])], codingKey),
  });
}

/**
 * The labels of `meta` without those of `removed`; labels that are not there are passed over
 * (https://hl7.org/fhir/R4/resource-operation-meta-delete.html).
 */
export function metaDelete(meta: Meta, removed: Meta): Meta {
  const profiles = new Set(removed.profile);
  const security = new Set(removed.security?.map(codingKey));
  const tags = new Set(removed.tag?.map(codingKey));
  return withLabels(meta, {
    profile: (meta.profile ?? []).filter((url) => !profiles.has(url)),
    security: (meta.security ?? []).filter((coding) => !security.has(codingKey(coding))),
    tag: (meta.tag ?? []).filter((coding) => !tags.has(codingKey(coding))),
  });
}

interface Labels {
  readonly profile: readonly string[];
  readonly security: readonly Coding[];
  readonly tag: readonly Coding[];
}

function withLabels(meta: Meta, labels: Labels): Meta {
  const { profile: _profile, security: _security, tag: _tag, ...rest } = meta;
  return { ...rest, ...Object.fromEntries(Object.entries(labels).filter(([, values]) => values.length > 0)) };
}

/** Labels are the same by system and code; version and display do not matter. */
function codingKey({ system = '', code = '' }: Coding): string {
  return JSON.stringify([system, code]);
}

/** The first of each key. */
function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item);
  return [...byKey.values()];
}
