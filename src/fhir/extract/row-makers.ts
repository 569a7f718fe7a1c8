import type { IndexKind } from '../indexed-path.js';
import { dateRows } from './date-rows.js';
import { numberRows, quantityRows } from './quantity-rows.js';
import { referenceRows } from './reference-rows.js';
import type { RowMaker, RowMakers } from './row-maker.js';
import { stringRows } from './string-rows.js';
import { tokenRows } from './token-rows.js';
import { uriRows } from './uri-rows.js';

const ROW_MAKERS: Readonly<Record<IndexKind, RowMakers>> = {
  token: tokenRows,
  string: stringRows,
  date: dateRows,
  number: numberRows,
  quantity: quantityRows,
  uri: uriRows,
  reference: referenceRows,
};

/** What makes rows of the kind from values of the FHIR type; undefined where such values have none. */
export function rowMaker(kind: IndexKind, type: string): RowMaker | undefined {
  const makers = ROW_MAKERS[kind];
  return Object.hasOwn(makers, type) ? makers[type] : undefined;
}
