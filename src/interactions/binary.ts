/** Binary in its own media type: https://hl7.org/fhir/R4/binary.html#rest */
import { Readable } from 'node:stream';
import { binaryFormat, FHIR_JSON, FHIR_XML, type FhirFormat } from '../fhir/media-types.js';
import { writeXml } from '../fhir/xml/write.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StoredVersion } from '../storage/store.js';
import { BLOB_EXTENSION, blobIdOf } from './blob-pointer.js';
import { singleHeader } from './find.js';
import { versionHeaders } from './response.js';
import type { ServerParts } from './server-parts.js';

/** The body of a request that carries a Binary's content as it is. */
export interface RawContent {
  readonly kind: 'raw';
  readonly contentType: string;
  /** Ends with an error where the content is larger than allowed. */
  readonly stream: AsyncIterable<Buffer>;
}

export function isRawContent(body: unknown): body is RawContent {
  return typeof body === 'object' && body !== null && (body as { kind?: unknown }).kind === 'raw';
}

/** The content as a Binary whose `data` is in the resource. */
export function inlineBinary(request: RequestDetails, contentType: string, content: Buffer): Resource {
  const head = binaryHead(request, contentType);
  return content.length === 0 ? head : { ...head, data: content.toString('base64') };
}

/** The content as a Binary that points at a blob. */
export function blobBinary(request: RequestDetails, contentType: string, blobId: string): Resource {
  return {
    ...binaryHead(request, contentType),
    _data: { extension: [{ url: BLOB_EXTENSION, valueString: blobId }] },
  };
}

function binaryHead(request: RequestDetails, contentType: string): Resource {
  const securityContext = singleHeader(request, 'x-security-context');
  return {
    resourceType: 'Binary',
    ...(request.resourceId === undefined ? {} : { id: request.resourceId }),
    contentType,
    ...(securityContext === undefined ? {} : { securityContext: { reference: securityContext } }),
  };
}

/**
 * The answer to a read of a Binary: its content in its own type, unless the client asks for the resource. Content that
 * is not in the resource's text is streamed.
 */
export function binaryResponse(
  server: ServerParts,
  request: RequestDetails,
  { version, resource }: { readonly version: StoredVersion; readonly resource: Resource },
): OutgoingResponse {
  const headers = versionHeaders(version.version, version.updated);
  const blobId = blobIdOf(resource);
  const chunks = blobId === undefined ? undefined : server.blobs.read(version.partition, blobId);
  const format = wantedFormat(request);
  if (format !== undefined && chunks !== undefined) {
    const write = format === 'xml' ? binaryXml : binaryJson;
    const type = format === 'xml' ? FHIR_XML : FHIR_JSON;
    const body = Readable.from(write(resource, chunks));
    return { status: 200, headers: { ...headers, 'content-type': type }, body };
  }
  if (format !== undefined)
    return { status: 200, headers: { ...headers, 'content-type': FHIR_JSON }, body: version.text ?? '' };
  const { contentType, data } = resource;
  const type =
    typeof contentType === 'string' && /^[\x20-\x7e]+$/.test(contentType)
      ? contentType
      : 'application/octet-stream';
  // Somebody's HTML must not run as if it were the server's.
  const safe = {
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'content-type': type,
  };
  const body = chunks ? Readable.from(chunks) : Buffer.from(typeof data === 'string' ? data : '', 'base64');
  return { status: 200, headers: { ...headers, ...safe }, body };
}

/** A format that was asked for by `_format` or Accept; anything else means the content. */
function wantedFormat({ parent, headers, parameters }: RequestDetails): FhirFormat | undefined {
  if (parent !== undefined) return 'json';
  return binaryFormat(headers.get('accept')?.join(','), parameters);
}

/** The resource's text with the base64 of the content in it, piece by piece. */
export async function* binaryJson(resource: Resource, chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const { _data: _pointer, ...rest } = resource;
  yield `${JSON.stringify(rest).slice(0, -1)},"data":"`;
  for await (const chunk of chunks) yield chunk.toString('base64');
  yield '"}';
}

/** The same as XML, where `data` is the last element. */
async function* binaryXml(resource: Resource, chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const { _data: _pointer, ...rest } = resource;
  yield `${writeXml(rest).slice(0, -'</Binary>'.length)}<data value="`;
  for await (const chunk of chunks) yield chunk.toString('base64');
  yield '"/></Binary>';
}
