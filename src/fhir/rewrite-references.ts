import type { Resource } from '../model/resource.js';
import { childrenAt, placeOf, type ElementChild } from './element-children.js';

const URI_TYPES: ReadonlySet<string> = new Set(['uri', 'url', 'canonical', 'oid', 'uuid']);

/**
 * Replaces what the entries of a transaction call each other (`urn:uuid:…`, `urn:oid:…`, an absolute fullUrl, a
 * conditional reference) by the resources' references, wherever https://hl7.org/fhir/R4/http.html#trules says so:
 * in References, in elements of type uri, url, canonical, oid and uuid, and in `href` and `src` of narrative.
 * Returns the resource itself if there is nothing to replace; otherwise a copy of what is on the way to a change.
 */
export function rewriteReferences(resource: Resource, replacements: ReadonlyMap<string, string>): Resource {
  if (replacements.size === 0) return resource;
  const lengths = new Set([...replacements.keys()].map((key) => key.length));
  return rewriteMembers(resource, resource.resourceType, { replacements, lengths });
}

interface Rewriting {
  readonly replacements: ReadonlyMap<string, string>;
  /** Rules most texts out without hashing them. */
  readonly lengths: ReadonlySet<number>;
}

function rewriteMembers<Holder extends object>(holder: Holder, place: string, rewriting: Rewriting): Holder {
  const children = childrenAt(place);
  let copy: Holder | undefined;
  for (const [name, value] of Object.entries(holder)) {
    const rewritten = rewriteMember(name, value, { children, place, rewriting });
    if (rewritten === value) continue;
    copy = { ...(copy ?? holder), [name]: rewritten };
  }
  return copy ?? holder;
}

interface Surroundings {
  readonly children: ReadonlyMap<string, ElementChild>;
  readonly place: string;
  readonly rewriting: Rewriting;
}

function rewriteMember(name: string, value: unknown, { children, place, rewriting }: Surroundings): unknown {
  if (name.startsWith('_') && children.has(name.slice(1))) {
    return mapValues(value, (item) => (isObject(item) ? rewriteMembers(item, 'Element', rewriting) : item));
  }
  const child = children.get(name);
  if (!child) return value;
  return mapValues(value, (item) => {
    if (isObject(item)) return rewriteMembers(item, placeOf(child, item), rewriting);
    return typeof item === 'string' ? rewriteText(item, `${place}.${name}`, child.type, rewriting) : item;
  });
}

function rewriteText(text: string, path: string, type: string, rewriting: Rewriting): string {
  if (type === 'xhtml') return rewriteNarrative(text, rewriting.replacements);
  if (!rewriting.lengths.has(text.length)) return text;
  if (!URI_TYPES.has(type) && path !== 'Reference.reference') return text;
  return rewriting.replacements.get(text) ?? text;
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
