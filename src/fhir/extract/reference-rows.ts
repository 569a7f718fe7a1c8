import { UNNAMED_TARGET } from '../index-values.js';
import { parseReference } from '../references.js';
import { asObject, asText } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const reference: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const text = asText(part?.['reference']);
  if (text !== undefined) addReference(rows, path, text);
  else if (asObject(part?.['identifier']) || asText(part?.['display'])) addUrl(rows, path, UNNAMED_TARGET);
};

/** A canonical names a resource by its own URL, wherever that resource is stored. */
const canonical: RowMaker = (value, path, rows) => {
  const url = asText(value);
  if (url !== undefined && !url.startsWith('#')) addUrl(rows, path, url);
};

/** Contained resources and conditional references are no targets with a name; versions do not count. */
function addReference(rows: RowCollector, path: string, text: string): void {
  const target = parseReference(text);
  switch (target.kind) {
    case 'relative':
      addResource(rows, path, target);
      return;
    case 'absolute': {
      const url = `${target.base}/${target.type}/${target.id}`;
      const local = rows.toLocal?.(url);
      if (local) addResource(rows, path, local);
      else addUrl(rows, path, url);
      return;
    }
    case 'urn':
    case 'other':
      addUrl(rows, path, text);
      return;
    case 'fragment':
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
  target: { readonly type: string; readonly id: string },
): void {
  rows.references.push({ path, type: target.type, id: target.id, url: null });
}

function addUrl(rows: RowCollector, path: string, url: string): void {
  rows.references.push({ path, type: null, id: null, url });
}

/** https://hl7.org/fhir/R4/search.html#reference */
export const referenceRows: RowMakers = { Reference: reference, canonical, uri: canonical, url: canonical };
