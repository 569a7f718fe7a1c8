import { Readable } from 'node:stream';
import { FHIR_JSON, FHIR_XML } from '../fhir/media-types.js';
import { parseStored } from '../fhir/json.js';
import { xmlPieces, type XmlStyle } from '../fhir/xml/write.js';
import { isResourceType } from '../fhir/definitions.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { inTurns } from './turns.js';

/** Longest JSON text that is written as XML, in characters: both are in memory at once. */
const MAX_SOURCE = 64 * 2 ** 20;

/**
 * The response with its resource as FHIR XML. What is no FHIR JSON stays as it is: files, contents of Binaries,
 * bodies that are empty. What XML cannot hold is refused where it is read. What has been written stays written: of
 * that the client hears in JSON (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1).
 * @throws FhirError NOT_ACCEPTABLE, LIMIT_EXCEEDED for what is too large
 */
export async function answerInXml(
  response: OutgoingResponse,
  request: RequestDetails | undefined,
): Promise<OutgoingResponse> {
  const method = request?.method ?? 'GET';
  const style = { pretty: isPretty(request) };
  return method === 'GET' || method === 'HEAD' ? toXml(response, style) : toXmlWherePossible(response, style);
}

/** The same for an error; a hook may have made more of it than XML can hold. */
export async function errorInXml(response: OutgoingResponse): Promise<OutgoingResponse> {
  return toXmlWherePossible(response, { pretty: false });
}

function isPretty(request: RequestDetails | undefined): boolean {
  const pretty = request?.parameters.findLast(([name]) => name === '_pretty')?.[1];
  return pretty !== undefined && pretty !== 'false';
}

async function toXmlWherePossible(response: OutgoingResponse, style: XmlStyle): Promise<OutgoingResponse> {
  try {
    return await toXml(response, style);
  } catch (error) {
    if (error instanceof FhirError) return response;
    throw error;
  }
}

async function toXml(response: OutgoingResponse, style: XmlStyle): Promise<OutgoingResponse> {
  const resource = resourceOf(response);
  if (resource === undefined) return response;
  const pieces: string[] = [];
  await inTurns(xmlPieces(resource, style), (piece) => pieces.push(piece));
  return { ...response, headers: { ...response.headers, 'content-type': FHIR_XML }, body: pieces.join('') };
}

function resourceOf({ headers, body }: OutgoingResponse): object | undefined {
  const isText = typeof body === 'string';
  const type = headers['content-type'] ?? (isText ? '' : FHIR_JSON);
  if (body === undefined || !type.startsWith('application/fhir+json')) return undefined;
  if (Buffer.isBuffer(body) || body instanceof Readable) return undefined;
  if (isText && body.length > MAX_SOURCE)
    throw new FhirError('LIMIT_EXCEEDED', 'The answer is too large for XML; ask for less, or for JSON.');
  const value = isText ? parseStored(body) : body;
  const { resourceType } = (value ?? {}) as { readonly resourceType?: unknown };
  return typeof resourceType === 'string' && isResourceType(resourceType) ? (value as object) : undefined;
}
