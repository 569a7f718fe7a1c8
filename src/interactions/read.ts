/** read and vread: https://hl7.org/fhir/R4/http.html#read */
import { isNotModified, parseIfModifiedSince } from '../fhir/conditional-headers.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { StoredVersion } from '../storage/store.js';
import { binaryResponse } from './binary.js';
import { contentOf, entityTags, findCurrent, gone, notFound, onlyOne, singleHeader } from './find.js';
import { jsonResponse, versionHeaders } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentationOf, presentText, show } from './show.js';

export async function read(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType = '', resourceId = '' } = request;
  const scope = await server.resolver.resolveRead(request);
  const current = await findCurrent(server, scope, resourceType, resourceId);
  return respondWithVersion(server, request, current);
}

export async function vread(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType = '', resourceId = '', versionId = '' } = request;
  const scope = await server.resolver.resolveRead(request);
  const version = /^[1-9]\d{0,14}$/.test(versionId) ? Number(versionId) : 0;
  const found = await server.resources.readVersion(scope, resourceType, resourceId, version);
  return respondWithVersion(server, request, onlyOne(server, found));
}

async function respondWithVersion(
  server: ServerParts,
  request: RequestDetails,
  found: StoredVersion | undefined,
): Promise<OutgoingResponse> {
  const { resourceType = '', resourceId = '' } = request;
  if (!found) throw notFound(resourceType, resourceId);
  const presentation = presentationOf(request);
  const [shown] = await show(server, request, [found], presentation);
  if (!shown) throw notFound(resourceType, resourceId);
  if (shown.text === null) throw gone(found);
  const headers = versionHeaders(found.version, found.updated);
  if (isUnchanged(request, found)) return { status: 304, headers, body: undefined };
  if (found.type === 'Binary') return readBinary(server, request, { ...found, text: shown.text });
  return jsonResponse(200, presentText(shown.text, presentation), headers);
}

function readBinary(server: ServerParts, request: RequestDetails, version: StoredVersion): OutgoingResponse {
  return binaryResponse(server, request, { version, resource: contentOf(version) });
}

function isUnchanged(request: RequestDetails, current: StoredVersion): boolean {
  const { headers } = request;
  if (!headers.has('if-none-match') && !headers.has('if-modified-since')) return false;
  const since = singleHeader(request, 'if-modified-since');
  return isNotModified(current, {
    ifNoneMatch: entityTags(request, 'If-None-Match'),
    ifModifiedSince: since === undefined ? undefined : parseIfModifiedSince(since),
  });
}
