/** read and vread: https://hl7.org/fhir/R4/http.html#read */
import { isNotModified, parseHttpTime } from '../fhir/conditional-headers.js';
import { isPromise } from '../hooks/dispatch.js';
import type { MaybePromise, OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { StoredVersion } from '../storage/store.js';
import { binaryResponse } from './binary.js';
import { assertStillSo, contentOf, entityTags, gone, notFound, onlyOne, singleHeader } from './find.js';
import { jsonResponse, versionHeaders } from './response.js';
import type { ServerParts } from './server-parts.js';
import { presentationOf, type Presentation } from './presentation.js';
import { isShownAsStored, presentText, show } from './show.js';

export async function read(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType = '', resourceId = '' } = request;
  const scope = server.resolver.resolveRead(request);
  const found = await server.resources.read(isPromise(scope) ? await scope : scope, resourceType, resourceId);
  return respondWithVersion(server, request, onlyOne(server, found));
}

export async function vread(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const { resourceType = '', resourceId = '', versionId = '' } = request;
  const scope = await server.resolver.resolveRead(request);
  const version = /^[1-9]\d{0,14}$/.test(versionId) ? Number(versionId) : 0;
  const found = await server.resources.readVersion(scope, resourceType, resourceId, version);
  return respondWithVersion(server, request, onlyOne(server, found));
}

function respondWithVersion(
  server: ServerParts,
  request: RequestDetails,
  found: StoredVersion | undefined,
): MaybePromise<OutgoingResponse> {
  const { resourceType = '', resourceId = '' } = request;
  if (!found) throw notFound(resourceType, resourceId);
  const presentation = presentationOf(request);
  return isShownAsStored(server, presentation)
    ? versionResponse(server, request, found, presentation)
    : shownResponse(server, request, found, presentation);
}

async function shownResponse(
  server: ServerParts,
  request: RequestDetails,
  found: StoredVersion,
  presentation: Presentation,
): Promise<OutgoingResponse> {
  const [shown] = await show(server, request, [found], presentation);
  if (!shown) throw notFound(found.type, found.id);
  return versionResponse(server, request, { ...found, text: shown.text }, presentation);
}

function versionResponse(
  server: ServerParts,
  request: RequestDetails,
  shown: StoredVersion,
  presentation: Presentation,
): OutgoingResponse {
  if (shown.text === null) throw gone(shown);
  const headers = versionHeaders(shown.version, shown.updated);
  assertStillSo(request, shown);
  if (isUnchanged(request, shown)) return { status: 304, headers, body: undefined };
  if (shown.type === 'Binary') return readBinary(server, request, shown);
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
    ifModifiedSince: since === undefined ? undefined : parseHttpTime(since, 'If-Modified-Since'),
  });
}
