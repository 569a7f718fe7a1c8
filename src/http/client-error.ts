import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { FHIR_JSON } from '../fhir/media-types.js';
import { FhirError } from '../model/errors.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** Time to read a refusal, in milliseconds. */
const LINGER_MS = 1_000;

/** What a refusal carries besides its outcome. */
export interface RefusalOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly newRequestId: () => string;
}

/**
 * Answers what never became a request, because it is not HTTP, too long or too slow, with an OperationOutcome like
 * everything else, and ends the connection.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  { headers, newRequestId }: RefusalOptions,
): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const known = toFhirError(error);
  const body = JSON.stringify(known.toOutcome());
  const head = [
    `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status] ?? ''}`,
    'connection: close',
    `${REQUEST_ID_HEADER}: ${newRequestId()}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-type: ${FHIR_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Its other half would stay open for as long as the client likes; closed at once, it would take the answer with it.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function toFhirError({ code }: NodeJS.ErrnoException): FhirError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new FhirError('LIMIT_EXCEEDED', 'URL and headers are too long; send a search by POST _search.', {
      status: 431,
    });
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new FhirError('INVALID_REQUEST', 'The request did not arrive in time.', { status: 408 });
  }
  return new FhirError('INVALID_REQUEST', 'This is not a valid HTTP request.');
}
