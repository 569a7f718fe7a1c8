import { canonicalQuantity, UCUM_SYSTEM } from '../ucum.js';
import { asNumber, asObject, asText } from './element-values.js';
import { position, range } from './range-rows.js';
import type { RowMaker, RowMakers } from './row-maker.js';

/** `Money.currency` is a code of this system. */
const CURRENCY_SYSTEM = 'urn:iso:std:iso:4217';

const quantity: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const amount = asNumber(part?.['value']);
  if (!part || amount === undefined) return;
  const system = asText(part['system']) ?? null;
  const code = asText(part['code']) ?? null;
  const canonical = system === UCUM_SYSTEM && code !== null ? canonicalQuantity(amount, code) : undefined;
  rows.quantities.push({
    path,
    value: amount,
    system,
    code,
    unit: asText(part['unit']) ?? null,
    canonicalValue: canonical?.value ?? null,
    canonicalUnit: canonical?.unit ?? null,
  });
};

const money: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const amount = asNumber(part?.['value']);
  if (!part || amount === undefined) return;
  const code = asText(part['currency']) ?? null;
  rows.quantities.push({
    path,
    value: amount,
    system: code === null ? null : CURRENCY_SYSTEM,
    code,
    unit: null,
    canonicalValue: null,
    canonicalUnit: null,
  });
};

const number: RowMaker = (value, path, rows) => {
  const amount = asNumber(value);
  if (amount !== undefined) rows.numbers.push({ path, value: amount });
};

const quantityNumber: RowMaker = (value, path, rows, system) => {
  number(asObject(value)?.['value'], path, rows, system);
};

/** https://hl7.org/fhir/R4/search.html#quantity; sampled data is not indexed. */
export const quantityRows: RowMakers = {
  Quantity: quantity,
  Age: quantity,
  Count: quantity,
  Distance: quantity,
  Duration: quantity,
  Money: money,
  Range: range,
  BackboneElement: position,
};

/** https://hl7.org/fhir/R4/search.html#number */
export const numberRows: RowMakers = {
  decimal: number,
  integer: number,
  positiveInt: number,
  unsignedInt: number,
  Quantity: quantityNumber,
  Range: range,
};
