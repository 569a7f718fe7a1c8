import { derivedPaths } from './derived-paths.js';
import { asText } from './element-values.js';
import type { RowMaker, RowMakers } from './row-maker.js';

/** `Resource.meta.source`, whose fragment names one request: https://hl7.org/fhir/R4/resource.html#Meta. */
const SOURCE = 'meta.source';

const uri: RowMaker = (value, path, rows) => {
  const text = asText(value);
  if (text === undefined) return;
  rows.uris.push({ path, value: text });
  if (path === SOURCE && text.includes('#')) {
    rows.uris.push({ path: derivedPaths(path).fragment, value: text.slice(text.indexOf('#')) });
  }
};

/** https://hl7.org/fhir/R4/search.html#uri: exactly as written. */
export const uriRows: RowMakers = { uri, url: uri, canonical: uri, oid: uri, uuid: uri };
