import { FhirError } from '../model/errors.js';
import type { Interaction, QueryParameter } from '../model/request.js';

const JSON_FORMATS = new Set([
  'json',
  'application/json',
  'application/fhir+json',
  'text/json',
  'application/json+fhir',
]);
const JSON_PATCH = 'application/json-patch+json';
/** Of the server's FHIR version, R4: https://hl7.org/fhir/R4/http.html#version-parameter */
const FHIR_VERSION = /^4\.0(\.\d+)?$/;

/** The media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * A body without a type is taken as JSON; a JSON Patch is one only where a patch is asked for.
 * @throws FhirError UNSUPPORTED_MEDIA_TYPE
 */
export function assertJsonBody(contentType: string | undefined, interaction: Interaction): void {
  if (contentType === undefined) return;
  const type = mediaType(contentType);
  if (!JSON_FORMATS.has(type) && !(type === JSON_PATCH && interaction === 'patch')) {
    throw unsupported(`Content-Type '${type.slice(0, 80)}' is not supported here.`);
  }
  const [, charset] = /charset="?([^";\s]+)/i.exec(contentType) ?? [];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported(`Charset '${charset.slice(0, 40)}' is not supported; use UTF-8.`);
  }
  if (!isOfVersion(contentType)) throw unsupported('This server speaks FHIR 4.0 only.');
}

function unsupported(message: string): FhirError {
  return new FhirError('UNSUPPORTED_MEDIA_TYPE', message);
}

function isOfVersion(header: string): boolean {
  const [, version] = /fhirVersion\s*=\s*"?([^";\s]+)/i.exec(header) ?? [];
  return version === undefined || FHIR_VERSION.test(version);
}

/**
 * `_format` beats Accept (https://hl7.org/fhir/R4/http.html#parameters).
 * @throws FhirError NOT_ACCEPTABLE where neither leaves room for JSON.
 */
export function assertJsonAccepted(accept: string | undefined, parameters: readonly QueryParameter[]): void {
  const format = parameters.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) {
    // In a query a plus sign means a space: `application/fhir+json` arrives as `application/fhir json`.
    if (JSON_FORMATS.has(mediaType(format).replace(' ', '+'))) return;
    throw new FhirError('NOT_ACCEPTABLE', `_format '${format.slice(0, 80)}' is not supported.`);
  }
  if (accept === undefined || accept === '*/*' || accept === '') return;
  const ranges = accept
    .split(',')
    .filter((range) => !/;\s*q=0(\.0*)?\s*(;|$)/.test(range) && isOfVersion(range));
  const accepted = ranges.map(mediaType);
  if (
    accepted.some(
      (type) => type === '*/*' || type === 'application/*' || type === 'text/html' || JSON_FORMATS.has(type),
    )
  )
    return;
  throw new FhirError('NOT_ACCEPTABLE', `Accept '${accept.slice(0, 80)}' leaves no room for JSON.`);
}
