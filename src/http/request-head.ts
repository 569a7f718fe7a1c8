import type { IncomingMessage } from 'node:http';
import { FhirError } from '../model/errors.js';
import { isOriginForm } from './request-target.js';

/** Headers of which Node would take the first, and a proxy in front maybe the last. */
const SINGLE: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'content-encoding']);
/** Length of the longest of these names: longer ones need not be looked up. */
const LONGEST = 'content-encoding'.length;

/**
 * Refuses a head that could mean one thing to this server and another to what stands in front of it, or that is
 * put together to cost time.
 * @throws FhirError INVALID_REQUEST, LIMIT_EXCEEDED
 */
export function assertPlainHead(message: IncomingMessage, maxHeaders: number): void {
  const { rawHeaders } = message;
  if (rawHeaders.length > 2 * maxHeaders) {
    throw new FhirError('LIMIT_EXCEEDED', `The request has more than ${maxHeaders} headers.`, {
      status: 431,
      headers: { connection: 'close' },
    });
  }
  let seen: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index]!;
    if (raw.length > LONGEST) continue;
    const name = raw.toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (seen?.includes(`${name},`)) {
      throw new FhirError('INVALID_REQUEST', `The header ${name} is there more than once.`, {
        headers: { connection: 'close' },
      });
    }
    seen = `${seen ?? ''}${name},`;
  }
  assertHttp(message);
}

/** What HTTP demands of a head: https://www.rfc-editor.org/rfc/rfc9112#section-3.2, rfc9110#section-10.1.1 */
function assertHttp({ httpVersion, headers, method, url = '/' }: IncomingMessage): void {
  const connection = { connection: 'close' };
  if (!isOriginForm(url, method))
    throw new FhirError('INVALID_REQUEST', 'The target of the request is no path and no http URL.', {
      headers: connection,
    });
  if (headers.host === undefined && httpVersion === '1.1')
    throw new FhirError('INVALID_REQUEST', 'The header Host is missing.', { headers: connection });
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    const options = { status: 417, headers: connection };
    throw new FhirError('INVALID_REQUEST', 'Of Expect, only 100-continue is supported.', options);
  }
}
