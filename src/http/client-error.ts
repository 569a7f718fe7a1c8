import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { FHIR_JSON } from '../interactions/response.js';
import { FhirError } from '../model/errors.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/**
 * Answers what never became a request, because it is not HTTP, too long or too slow, with an OperationOutcome like
 * everything else, and ends the connection.
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  newRequestId: () => string,
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
    `content-type: ${FHIR_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
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
