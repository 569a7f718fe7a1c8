import { STATUS_CODES } from 'node:http';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import { answerPreference, successOutcome, versionHeaders, versionUrl } from './response.js';
import type { WriteOutcome } from './planned-write.js';

/** A batch-response or transaction-response around entries that are text already. */
export function bundleText(
  type: 'batch-response' | 'transaction-response',
  entries: readonly string[],
): string {
  const list = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  return `{"resourceType":"Bundle","type":"${type}"${list}}`;
}

/** The entry for a write, with the resource where `Prefer: return=representation` asks for it. */
export function writeEntry(
  request: RequestDetails,
  outcome: WriteOutcome,
  preference: 'representation' | 'minimal' | 'OperationOutcome',
): string {
  const { status, version, updated, text } = outcome;
  const response: Record<string, unknown> = { status: statusText(status) };
  if (version !== undefined && updated !== undefined) {
    if (text !== null) response['location'] = versionUrl(request, outcome);
    response['etag'] = versionHeaders(version, updated)['etag'];
    response['lastModified'] = new Date(updated).toISOString();
  }
  const isTold = preference === 'OperationOutcome' || outcome.warnings !== undefined;
  if (isTold && text !== null) response['outcome'] = successOutcome(outcome);
  const shown = answerPreference(request, outcome, preference);
  return entryText(response, shown === 'representation' ? text : null);
}

/** The entry for any other answer; what tells of a failure, or of a write, is the entry's outcome. */
export function answerEntry(
  { status, headers, body }: OutgoingResponse,
  kind: 'resource' | 'outcome' = 'resource',
): string {
  const isOutcome = kind === 'outcome';
  const response: Record<string, unknown> = { status: statusText(status) };
  if (headers['location'] !== undefined) response['location'] = headers['location'];
  if (headers['etag'] !== undefined) response['etag'] = headers['etag'];
  if (headers['last-modified'] !== undefined) {
    response['lastModified'] = new Date(headers['last-modified']).toISOString();
  }
  const text = typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body);
  if (status < 400 && !isOutcome) return entryText(response, text);
  return `{"response":${JSON.stringify(response).slice(0, -1)}${text === null ? '' : `,"outcome":${text}`}}}`;
}

function entryText(response: object, resource: string | null): string {
  const head = resource === null ? '' : `"resource":${resource},`;
  return `{${head}"response":${JSON.stringify(response)}}`;
}

function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
}
