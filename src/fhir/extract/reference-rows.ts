import { literalReference } from '../reference.js';
import { asObject, asText } from './element-values.js';
import type { RowCollector } from './row-collector.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const HAS_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const VERSION = /\/_history\/[^/]*$/;

const reference: RowMaker = (value, path, rows) => {
  const text = asText(asObject(value)?.['reference']);
  if (text !== undefined) addReference(rows, path, text);
};

/** A canonical names a resource by its own URL, wherever that resource is stored. */
const canonical: RowMaker = (value, path, rows) => {
  const url = asText(value);
  if (url !== undefined && !url.startsWith('#')) rows.references.push({ path, type: null, id: null, url });
};

/** Contained resources and conditional references are no targets of their own. */
function addReference(rows: RowCollector, path: string, text: string): void {
  if (text.startsWith('#')) return;
  if (HAS_SCHEME.test(text)) return addUrl(rows, path, text);
  const target = literalReference(text);
  if (target) rows.references.push({ path, type: target.type, id: target.id, url: null });
  else if (!text.includes('?')) rows.references.push({ path, type: null, id: null, url: text });
}

function addUrl(rows: RowCollector, path: string, text: string): void {
  const url = text.replace(VERSION, '');
  const local = rows.toLocal?.(url);
  if (local) rows.references.push({ path, type: local.type, id: local.id, url: null });
  else rows.references.push({ path, type: null, id: null, url });
}

/** https://hl7.org/fhir/R4/search.html#reference */
export const referenceRows: RowMakers = { Reference: reference, canonical, uri: canonical, url: canonical };
