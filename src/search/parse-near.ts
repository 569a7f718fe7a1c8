import { canonicalQuantity } from '../fhir/ucum.js';
import { splitEscaped, unescape } from './escape.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import type { SearchValue } from './search-request.js';

/** What counts as near where the search does not say, in kilometers. */
const DEFAULT_DISTANCE = '50';
const DEFAULT_UNIT = 'km';
const DECIMAL = /^[+-]?\d{1,20}(?:\.\d{1,30})?$/;

/**
 * `near=latitude|longitude|distance|units`, still escaped: https://hl7.org/fhir/R4/location.html#search. Units are
 * UCUM lengths, kilometers if left out; the distance is 50 km if left out.
 * @throws FhirError INVALID_SEARCH
 */
export function parseNear(text: string, { name }: ParameterContext): SearchValue {
  const [lat = '', lon = '', distance = '', unit = '', ...more] = splitEscaped(text, '|').map(unescape);
  const latitude = toNumber(lat);
  const longitude = toNumber(lon);
  if (more.length > 0 || !(Math.abs(latitude) <= 90) || !(Math.abs(longitude) <= 180)) {
    throw invalidParameter(
      name,
      'write latitude|longitude|distance|units, in degrees from -90 and -180 to 90 and 180.',
    );
  }
  const length = toNumber(distance || DEFAULT_DISTANCE);
  const meters = canonicalQuantity(length, distance === '' ? DEFAULT_UNIT : unit || DEFAULT_UNIT);
  if (meters?.unit !== 'm' || !(meters.value >= 0)) {
    throw invalidParameter(
      name,
      'the distance is a number from 0 with a UCUM length: km, m, [mi_us], [mi_i], [ft_i].',
    );
  }
  return { kind: 'near', latitude, longitude, meters: meters.value };
}

/** NaN for what is no number. */
function toNumber(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}
