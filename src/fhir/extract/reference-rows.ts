import { UNNAMED_TARGET } from '../index-values.js';
import { RESOURCE_TYPES } from '../r4/resource-types.js';
import { parseReference } from '../references.js';
import { derivedPaths, typedIdentifierPath } from './derived-paths.js';
import { asObject, asText } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';
import { addToken } from './token-rows.js';

const reference: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const text = asText(part?.['reference']);
  const identifier = asObject(part?.['identifier']);
  if (text !== undefined) addReference(rows, path, text);
  else if (identifier || asText(part?.['display'])) addUrl(rows, path, UNNAMED_TARGET);
  if (!identifier) return;
  const type = typeOf(asText(part?.['type']), text);
  for (const place of [derivedPaths(path).identifier, typedIdentifierPath(path, type)])
    addToken(rows, place, identifier['system'], identifier['value']);
};

/** Only types there are: each is a path of its own. */
function typeOf(stated: string | undefined, text = ''): string | undefined {
  if (stated !== undefined && RESOURCE_TYPES.has(stated)) return stated;
  const target = parseReference(text);
  return target.kind === 'relative' || target.kind === 'absolute' ? target.type : undefined;
}

/** A canonical names a resource by its own URL, wherever that resource is stored. */
const canonical: RowMaker = (value, path, rows) => {
  const url = asText(value);
  if (url === undefined) return;
  if (url.startsWith('#')) rows.fragments.push({ path, id: url.slice(1) });
  else addUrl(rows, path, url);
};

/** Contained resources and conditional references are no targets with a name. */
function addReference(rows: RowCollector, path: string, text: string): void {
  const target = parseReference(text);
  switch (target.kind) {
    case 'relative':
      addResource(rows, path, target);
      return;
    case 'absolute': {
      const url = `${target.base}/${target.type}/${target.id}`;
      const local = rows.toLocal?.(url);
      if (local) addResource(rows, path, { ...local, version: target.version });
      else addUrl(rows, path, url);
      return;
    }
    case 'urn':
    case 'other':
      addUrl(rows, path, text);
      return;
    case 'fragment':
      rows.fragments.push({ path, id: target.id });
      addUrl(rows, path, UNNAMED_TARGET);
      return;
    case 'conditional':
      addUrl(rows, path, UNNAMED_TARGET);
      return;
    default:
      target satisfies never;
  }
}

function addResource(
  rows: RowCollector,
  path: string,
  {
    type,
    id,
    version,
  }: { readonly type: string; readonly id: string; readonly version?: string | undefined },
): void {
  rows.references.push({ path, type, id, url: null });
  if (version === undefined) return;
  rows.uris.push({ path: derivedPaths(path).version, value: `${type}/${id}/_history/${version}` });
}

function addUrl(rows: RowCollector, path: string, url: string): void {
  rows.references.push({ path, type: null, id: null, url });
}

/**
 * A document and a message are found by the resource that they begin with (https://hl7.org/fhir/R4/bundle.html#search).
 * It need not be stored besides, so it is no link.
 */
const entryResource: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const [type, id] = [asText(part?.['resourceType']), asText(part?.['id'])];
  if (type !== undefined && id !== undefined) addUrl(rows, path, `${type}/${id}`);
};

/** https://hl7.org/fhir/R4/search.html#reference */
export const referenceRows: RowMakers = {
  Reference: reference,
  Resource: entryResource,
  canonical,
  uri: canonical,
  url: canonical,
};
