import { formatEntityTag, formatHttpDate } from '../fhir/conditional-headers.js';
import { parseStored } from '../fhir/json.js';
import { FHIR_JSON } from '../fhir/media-types.js';
import { preferredReturn, type ReturnPreference } from '../fhir/prefer.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { DEFAULT_PARTITION_NAME } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { OperationOutcome, Resource } from '../model/resource.js';
import { writeAnswerJudge } from '../model/write-answer.js';
import { mayBeAnswered } from './permission.js';
import type { WriteOutcome } from './planned-write.js';
import { presentationOf } from './presentation.js';
import { presentText, writeResource } from './show.js';

/** ETag and Last-Modified of a version. */
export function versionHeaders(version: number, updated: number): Record<string, string> {
  return { etag: formatEntityTag(version), 'last-modified': formatHttpDate(updated) };
}

/** A JSON body with its content type. */
export function jsonResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): OutgoingResponse {
  return { status, headers: { 'content-type': FHIR_JSON, ...headers }, body };
}

/** A resource that the server has made, as the client wants it written. */
export function resourceResponse(request: RequestDetails, resource: object, status = 200): OutgoingResponse {
  return jsonResponse(status, writeResource(resource, presentationOf(request)));
}

/** The URL of one version, under the tenant of the request; pinned types live under DEFAULT's. */
export function versionUrl(request: RequestDetails, outcome: WriteOutcome): string {
  const { type, id, version } = outcome;
  const pinnedBase = `${request.serverBase}/${DEFAULT_PARTITION_NAME}`;
  const base = outcome.pinned && request.urlTenant !== undefined ? pinnedBase : request.base;
  return `${base}/${type}/${id}/_history/${version}`;
}

/** The answer to a create, update, patch or delete. */
export function writeResponse(request: RequestDetails, outcome: WriteOutcome): OutgoingResponse {
  const { status, version, updated, text } = outcome;
  if (version === undefined || updated === undefined) return { status, headers: {}, body: undefined };
  const headers = versionHeaders(version, updated);
  const preference = answerPreference(request, outcome, preferredReturn(request) ?? 'representation');
  if (text === null) return deletionResponse(request, outcome, preference);
  const url = versionUrl(request, outcome);
  // A conditional create tells where its resource is, whether it is new or was there.
  if (status === 201 || request.interaction === 'create') headers['location'] = url;
  if (status !== 201) headers['content-location'] = url;
  if (preference === 'minimal') return { status, headers, body: undefined };
  if (preference === 'OperationOutcome') return withOutcome(request, outcome, headers);
  return jsonResponse(status, presentText(text, presentationOf(request)), headers);
}

/** What of it may be answered. */
export function answerPreference(
  request: RequestDetails,
  outcome: WriteOutcome,
  preference: ReturnPreference,
): ReturnPreference {
  return preference === 'representation' && !mayBeShown(request, outcome) ? 'minimal' : preference;
}

function mayBeShown(request: RequestDetails, { type, text }: WriteOutcome): boolean {
  if (!mayBeAnswered(request, type)) return false;
  const judge = writeAnswerJudge(request);
  return judge === undefined || text === null || judge(parseStored(text) as Resource);
}

/** Whether a write may be answered with something of the resource that it left behind. */
export function mayTellOf(request: RequestDetails, resource: Resource): boolean {
  return mayBeAnswered(request, resource.resourceType) && writeAnswerJudge(request)?.(resource) !== false;
}

/** A deletion has no body unless one was asked for (https://hl7.org/fhir/R4/http.html#delete). */
function deletionResponse(
  request: RequestDetails,
  outcome: WriteOutcome,
  preference: ReturnPreference,
): OutgoingResponse {
  const headers = { etag: formatEntityTag(outcome.version ?? 0) };
  if (preference !== 'OperationOutcome') return { status: outcome.status, headers, body: undefined };
  return withOutcome(request, { ...outcome, status: 200 }, headers);
}

function withOutcome(
  request: RequestDetails,
  outcome: WriteOutcome,
  headers: Record<string, string>,
): OutgoingResponse {
  const body = writeResource(successOutcome(outcome), presentationOf(request));
  return jsonResponse(outcome.status, body, headers);
}

/** Says in an OperationOutcome what was done. */
export function successOutcome(outcome: WriteOutcome): OperationOutcome {
  const { status, type, id, version, text, warnings = [] } = outcome;
  const verb = text === null ? 'deleted' : status === 201 ? 'created' : 'stored';
  const diagnostics = `${type}/${id} was ${verb} as version ${version}.`;
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics }, ...warnings],
  };
}
