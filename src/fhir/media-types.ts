import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';

/** How resources are written between client and server. They are stored as JSON. */
export type FhirFormat = 'json' | 'xml';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';
export const FHIR_XML = 'application/fhir+xml; charset=utf-8';

/** Media types of https://hl7.org/fhir/R4/http.html#mime-type, those of earlier versions, and what people write. */
const FORMATS: ReadonlyMap<string, FhirFormat> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/json+fhir', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/xml+fhir', 'xml'],
]);

/** Of these a Binary may be; they ask for its content, or are it. */
const CONTENT_TYPES: ReadonlySet<string> = new Set(['application/xml', 'text/xml']);
/** A browser is shown JSON. */
const BROWSER = 'text/html';
const WILDCARDS: ReadonlySet<string> = new Set(['*/*', 'application/*']);

/** Of the server's FHIR version, R4: https://hl7.org/fhir/R4/http.html#version-parameter */
const FHIR_VERSION = /^4\.0(\.\d+)?$/;

/** The media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/** Whether the media type leaves the version of FHIR open, or says that it is R4. */
export function isOfVersion(header: string): boolean {
  const [, version] = /fhirVersion\s*=\s*"?([^";\s]+)/i.exec(header) ?? [];
  return version === undefined || FHIR_VERSION.test(version);
}

/** The format that a media type without parameters means; undefined for one that is not FHIR's. */
export function formatOfType(type: string): FhirFormat | undefined {
  return FORMATS.get(type);
}

/**
 * The format that a client wants its answer in; undefined where it has no preference. `_format` beats Accept
 * (https://hl7.org/fhir/R4/http.html#parameters), a higher quality a lower one, and a type that is named one that is
 * only let pass.
 * @throws FhirError NOT_ACCEPTABLE where neither leaves room for JSON or XML.
 */
export function negotiateFormat(
  accept: string | undefined,
  parameters: readonly QueryParameter[],
): FhirFormat | undefined {
  const asked = askedFormat(parameters);
  if (asked !== undefined) return asked;
  if (accept === undefined || accept === '*/*' || accept === '') return undefined;
  const named = FORMATS.get(accept);
  if (named !== undefined) return named;
  const [json, xml] = welcomeOf(accept);
  if (json === 0 && xml === 0) {
    throw new FhirError('NOT_ACCEPTABLE', `Accept '${accept.slice(0, 80)}' leaves no room for JSON or XML.`);
  }
  return json === xml ? undefined : json > xml ? 'json' : 'xml';
}

/**
 * The format that the resource of a Binary is wanted in; undefined where its content is wanted
 * (https://hl7.org/fhir/R4/binary.html#rest).
 * @throws FhirError NOT_ACCEPTABLE for a `_format` that is neither JSON nor XML.
 */
export function binaryFormat(
  accept: string | undefined,
  parameters: readonly QueryParameter[],
): FhirFormat | undefined {
  const asked = askedFormat(parameters);
  if (asked !== undefined || accept === undefined || accept === '*/*') return asked;
  const ranges = accept.split(',').filter((range) => {
    const type = mediaType(range);
    return FORMATS.has(type) && !CONTENT_TYPES.has(type);
  });
  const [json, xml] = welcomeOf(ranges.join(','));
  if (json === 0 && xml === 0) return undefined;
  return json >= xml ? 'json' : 'xml';
}

/** Whether a Binary with this media type comes as a resource, and not as its content. */
export function isBinaryResource(contentType: string | undefined): boolean {
  const type = mediaType(contentType);
  return type === '' || (FORMATS.has(type) && !CONTENT_TYPES.has(type) && type !== 'text/json');
}

/** What `_format` says, as it was sent. */
export function formatParameter(parameters: readonly QueryParameter[]): string | undefined {
  return parameters.find(([name]) => name === '_format')?.[1];
}

/** Whether a parameter says how an answer is written, and nothing of what is in it. */
export function isAboutWriting([name]: QueryParameter): boolean {
  return name === '_format' || name === '_pretty';
}

function askedFormat(parameters: readonly QueryParameter[]): FhirFormat | undefined {
  const asked = formatParameter(parameters);
  if (asked === undefined) return undefined;
  if (asked === 'json' || asked === 'xml') return asked;
  // In a query a plus sign means a space: `application/fhir+json` arrives as `application/fhir json`.
  const format = FORMATS.get(mediaType(asked).replace(' ', '+'));
  if (format === undefined) {
    throw new FhirError(
      'NOT_ACCEPTABLE',
      `_format '${asked.slice(0, 80)}' is not supported; use json or xml.`,
    );
  }
  return format;
}

/**
 * How welcome JSON and XML are: nothing, or a number that is higher for a higher quality, and for the same quality
 * where the format is named.
 */
function welcomeOf(accept: string): readonly [json: number, xml: number] {
  const named = { json: -1, xml: -1 };
  let others = 0;
  for (const range of accept.split(',')) {
    if (!isOfVersion(range)) continue;
    const type = mediaType(range);
    const quality = qualityOf(range);
    const format = type === BROWSER ? 'json' : FORMATS.get(type);
    if (format !== undefined) named[format] = Math.max(named[format], quality);
    else if (WILDCARDS.has(type)) others = Math.max(others, quality);
  }
  const welcome = (quality: number): number => (quality < 0 ? others : quality === 0 ? 0 : quality + 0.0001);
  return [welcome(named.json), welcome(named.xml)];
}

/** From 0 to 1, https://www.rfc-editor.org/rfc/rfc9110#quality.values; what cannot be read counts as 1. */
function qualityOf(range: string): number {
  const [, quality] = /;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)/i.exec(range) ?? [];
  return quality === undefined ? 1 : Math.min(Number(quality), 1);
}
