import { asText } from './element-values.js';
import type { RowMaker, RowMakers } from './row-maker.js';

const uri: RowMaker = (value, path, rows) => {
  const text = asText(value);
  if (text !== undefined) rows.uris.push({ path, value: text });
};

/** https://hl7.org/fhir/R4/search.html#uri: exactly as written. */
export const uriRows: RowMakers = { uri, url: uri, canonical: uri, oid: uri, uuid: uri };
