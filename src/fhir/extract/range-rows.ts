import { canonicalQuantity, UCUM_SYSTEM } from '../ucum.js';
import { BEYOND, derivedPaths } from './derived-paths.js';
import { asNumber, asObject, asText, type JsonObject } from './element-values.js';
import type { RowMaker } from './row-maker.js';

/** The unit that both ends of a range share. */
interface Unit {
  readonly system: string | null;
  readonly code: string | null;
  readonly unit: string | null;
}

/**
 * Both ends of a Range in one row, so that they are compared together: the low one as value, the high one as
 * canonical value. Rows in canonical units, for UCUM, have the canonical unit besides. The high end is the unit too:
 * ranges that begin with the same amount are different rows.
 */
export const range: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const lowEnd = asObject(part?.['low']);
  const highEnd = asObject(part?.['high']);
  const low = asNumber(lowEnd?.['value']) ?? -BEYOND;
  const high = asNumber(highEnd?.['value']) ?? BEYOND;
  if (low === -BEYOND && high === BEYOND) return;
  const { system, code, unit } = unitOf(low === -BEYOND ? highEnd : lowEnd);
  const place = derivedPaths(path).range;
  const row = { path: place, value: low, unit: String(high), canonicalValue: high, canonicalUnit: null };
  rows.quantities.push({ ...row, system, code: code ?? unit });
  if (code !== null && unit !== null && unit !== code)
    rows.quantities.push({ ...row, system: null, code: unit });
  if (system !== UCUM_SYSTEM || code === null) return;
  const [from, to] = [canonicalEnd(low, code), canonicalEnd(high, code)];
  const canonicalUnit = canonicalQuantity(1, code)?.unit ?? null;
  if (from === undefined || to === undefined || canonicalUnit === null) return;
  rows.quantities.push({
    path: place,
    value: from,
    system,
    code: `=${canonicalUnit}`,
    unit: String(to),
    canonicalValue: to,
    canonicalUnit,
  });
};

function unitOf(end: JsonObject | undefined): Unit {
  return {
    system: asText(end?.['system']) ?? null,
    code: asText(end?.['code']) ?? null,
    unit: asText(end?.['unit']) ?? null,
  };
}

function canonicalEnd(value: number, code: string): number | undefined {
  return Math.abs(value) === BEYOND ? value : canonicalQuantity(value, code)?.value;
}

/**
 * A place on earth (https://hl7.org/fhir/R4/location.html#Location.position) in one row, for `near`: the latitude as
 * value, the longitude as canonical value.
 */
export const position: RowMaker = (value, path, rows) => {
  const part = asObject(value);
  const latitude = asNumber(part?.['latitude']);
  const longitude = asNumber(part?.['longitude']);
  if (latitude === undefined || longitude === undefined) return;
  rows.quantities.push({
    path,
    value: latitude,
    system: null,
    code: null,
    unit: null,
    canonicalValue: longitude,
    canonicalUnit: null,
  });
};
