import type { IncomingMessage } from 'node:http';

/** Response header that names the request in logs and errors. */
export const REQUEST_ID_HEADER = 'x-request-id';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The id that the client gives its request, or a new one where it gives none that can stand in a log line. */
export function requestIdOf(message: IncomingMessage, newRequestId: () => string): string {
  const given = message.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId();
}
