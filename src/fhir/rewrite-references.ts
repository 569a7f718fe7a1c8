import type { Resource } from '../model/resource.js';
import { childrenAt, placeOf, type ElementChild } from './element-children.js';

const URI_TYPES: ReadonlySet<string> = new Set(['uri', 'url', 'canonical', 'oid', 'uuid']);

/**
 * Replaces what the entries of a transaction call each other (`urn:uuid:…`, `urn:oid:…`, an absolute fullUrl, a
 * conditional reference) by the resources' references, wherever https://hl7.org/fhir/R4/http.html#trules says so:
 * in References, in elements of type uri, url, canonical, oid and uuid, and in `href` and `src` of narrative.
 * Entries of a Bundle that is stored are passed over: see forEachReference.
 * Returns the resource itself if there is nothing to replace; otherwise a copy of what is on the way to a change.
 */
export function rewriteReferences(resource: Resource, replacements: ReadonlyMap<string, string>): Resource {
  if (replacements.size === 0) return resource;
  return rewriteMembers(resource, resource.resourceType, replacements);
}

type Replacements = ReadonlyMap<string, string>;

function rewriteMembers<Holder extends object>(
  holder: Holder,
  place: string,
  replacements: Replacements,
): Holder {
  const children = childrenAt(place);
  let copy: Holder | undefined;
  for (const [name, value] of Object.entries(holder)) {
    const rewritten = rewriteMember(name, value, { children, place, replacements });
    if (rewritten === value) continue;
    copy = { ...(copy ?? holder), [name]: rewritten };
  }
  return copy ?? holder;
}

interface Surroundings {
  readonly children: ReadonlyMap<string, ElementChild>;
  readonly place: string;
  readonly replacements: Replacements;
}

function rewriteMember(
  name: string,
  value: unknown,
  { children, place, replacements }: Surroundings,
): unknown {
  if (name.startsWith('_') && children.has(name.slice(1))) {
    return mapValues(value, (item) =>
      isObject(item) ? rewriteMembers(item, 'Element', replacements) : item,
    );
  }
  const child = children.get(name);
  if (!child || (place === 'Bundle' && name === 'entry')) return value;
  // R4 gives Reference.reference the type string.
  const type = place === 'Reference' && name === 'reference' ? 'uri' : child.type;
  return mapValues(value, (item) => {
    if (isObject(item)) return rewriteMembers(item, placeOf(child, item), replacements);
    return typeof item === 'string' ? rewriteText(item, type, replacements) : item;
  });
}

function rewriteText(text: string, type: string, replacements: Replacements): string {
  if (type === 'xhtml') return rewriteNarrative(text, replacements);
  return (URI_TYPES.has(type) ? replacements.get(text) : undefined) ?? text;
}

function rewriteNarrative(text: string, replacements: ReadonlyMap<string, string>): string {
  return text.replace(
    /(\s(?:href|src)\s*=\s*)(?:"([^"<>]*)"|'([^'<>]*)')/g,
    (all: string, before: string, ...urls) => {
      const url = [urls[0], urls[1]].find((found) => typeof found === 'string');
      const replacement = url === undefined ? undefined : replacements.get(url.replaceAll('&amp;', '&'));
      return replacement === undefined ? all : `${before}"${escapeAttribute(replacement)}"`;
    },
  );
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

function mapValues(value: unknown, change: (item: unknown) => unknown): unknown {
  if (!Array.isArray(value)) return change(value);
  const changed = value.map(change);
  return changed.some((item, index) => item !== value[index]) ? changed : value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
