import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';

const JSON_FORMATS = new Set(['json', 'application/json', 'application/fhir+json', 'text/json', 'application/json+fhir']);
const JSON_BODIES = new Set([...JSON_FORMATS, 'application/json-patch+json']);

/** The media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/** Whether a body of this type is JSON; one without a type is taken as such. */
export function isJsonBody(contentType: string | undefined): boolean {
  return contentType === undefined || JSON_BODIES.has(mediaType(contentType));
}

/** @throws FhirError UNSUPPORTED_MEDIA_TYPE */
export function assertJsonBody(contentType: string | undefined): void {
  if (!isJsonBody(contentType)) {
    throw new FhirError('UNSUPPORTED_MEDIA_TYPE', `Content-Type '${mediaType(contentType).slice(0, 80)}' is not supported here.`);
  }
  const [, charset] = /charset="?([^";\s]+)/i.exec(contentType ?? '') ?? [];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new FhirError('UNSUPPORTED_MEDIA_TYPE', `Charset '${charset.slice(0, 40)}' is not supported; use UTF-8.`);
  }
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
  const accepted = accept.split(',').filter((range) => !/;\s*q=0(\.0*)?\s*(;|$)/.test(range)).map(mediaType);
  if (accepted.some((type) => type === '*/*' || type === 'application/*' || type === 'text/html' || JSON_FORMATS.has(type))) return;
  throw new FhirError('NOT_ACCEPTABLE', `Accept '${accept.slice(0, 80)}' leaves no room for JSON.`);
}
