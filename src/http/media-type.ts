import {
  binaryFormat,
  formatOfType,
  isOfVersion,
  mediaType,
  negotiateFormat,
  type FhirFormat,
} from '../fhir/media-types.js';
import { parseQuery } from '../interactions/query.js';
import { FILE_OPERATION } from '../interactions/target.js';
import { FhirError } from '../model/errors.js';
import type { Interaction, RequestDetails } from '../model/request.js';

const JSON_PATCH = 'application/json-patch+json';
const PATCHES = `${JSON_PATCH}, application/fhir+json, application/fhir+xml`;

/** The headers that decide which format a client gets. */
interface FormatHeaders {
  readonly accept?: string | undefined;
  readonly 'content-type'?: string | undefined;
}

/**
 * The format of a body. One without a type is taken as JSON; a JSON Patch is one only where a patch is asked for.
 * @throws FhirError UNSUPPORTED_MEDIA_TYPE
 */
export function bodyFormat(contentType: string | undefined, interaction: Interaction): FhirFormat {
  if (contentType === undefined) return 'json';
  const type = mediaType(contentType);
  const format = type === JSON_PATCH && interaction === 'patch' ? 'json' : formatOfType(type);
  if (format === undefined)
    throw unsupported(`Content-Type '${type.slice(0, 80)}' is not supported here.`, interaction);
  const [, charset] = /charset="?([^";\s]+)/i.exec(contentType) ?? [];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported(`Charset '${charset.slice(0, 40)}' is not supported; use UTF-8.`);
  }
  if (!isOfVersion(contentType)) throw unsupported('This server speaks FHIR 4.0 only.');
  return format;
}

/** A refused patch says which ones there are: https://www.rfc-editor.org/rfc/rfc5789#section-2.2 */
function unsupported(message: string, interaction?: Interaction): FhirError {
  const headers = interaction === 'patch' ? { 'accept-patch': PATCHES } : {};
  return new FhirError('UNSUPPORTED_MEDIA_TYPE', message, { headers });
}

/**
 * The format that resources are answered in. A client without a preference gets that of its own body, else JSON.
 * Files of exports come in their own type, and a Binary may be asked for in its own.
 * @throws FhirError NOT_ACCEPTABLE
 */
export function answerFormat(
  { resourceType, operation, parameters }: RequestDetails,
  headers: FormatHeaders,
): FhirFormat {
  if (operation === FILE_OPERATION) return 'json';
  const { accept } = headers;
  const wanted =
    resourceType === 'Binary' ? binaryFormat(accept, parameters) : negotiateFormat(accept, parameters);
  return wanted ?? ownFormat(headers, resourceType);
}

function ownFormat({ 'content-type': contentType }: FormatHeaders, resourceType?: string): FhirFormat {
  if (contentType === undefined) return 'json';
  const type = mediaType(contentType);
  // The content of a Binary may well be XML.
  return resourceType === 'Binary' && type !== 'application/fhir+xml'
    ? 'json'
    : (formatOfType(type) ?? 'json');
}

/** The format of an error for a request that was not understood. */
export function failureFormat(url: string, headers: FormatHeaders): FhirFormat {
  try {
    const mark = url.indexOf('?');
    const parameters = mark < 0 ? [] : parseQuery(url.slice(mark + 1));
    return negotiateFormat(headers.accept, parameters) ?? ownFormat(headers);
  } catch (error) {
    if (error instanceof FhirError) return 'json';
    throw error;
  }
}
