import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringifyJson } from '../fhir/json.js';
import { FHIR_JSON } from '../fhir/media-types.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { dropStalledReader } from './connections.js';

/** A response with all of its headers, which are its own: sending it adds those that tell of the body. */
export interface FinalResponse extends OutgoingResponse {
  readonly headers: Record<string, string>;
}

/** How a response is sent. */
export interface SendOptions {
  readonly isHead: boolean;
  readonly stallTimeoutMs: number;
}

/**
 * Writes a response to the socket. A HEAD request gets the headers that GET would, and no body. A stream that
 * fails half way destroys the connection: a client must not take a part for the whole. Only a stream takes time.
 */
export function send(
  socket: ServerResponse,
  response: FinalResponse,
  options: SendOptions,
): Promise<void> | undefined {
  if (response.body instanceof Readable) return sendStream(socket, response, options);
  const { status, headers, body } = response;
  if (body === undefined) {
    if (status !== 204 && status !== 304) headers['content-length'] = '0';
    socket.writeHead(status, headers).end();
    return undefined;
  }
  const isResource = typeof body !== 'string' && !Buffer.isBuffer(body);
  const bytes = typeof body === 'string' ? body : Buffer.isBuffer(body) ? body : stringifyJson(body);
  const size = Buffer.byteLength(bytes);
  headers['content-length'] = String(size);
  if (isResource) headers['content-type'] ??= FHIR_JSON;
  socket.writeHead(status, headers);
  if (options.isHead) socket.end();
  // Text of ASCII alone is the same in Latin-1, which is copied and not encoded.
  else socket.end(bytes, size === bytes.length ? 'latin1' : 'utf8');
  // What the system has taken at once, nobody can hold up.
  if (socket.writableLength > 0) dropStalledReader(socket, options.stallTimeoutMs);
  return undefined;
}

async function sendStream(
  socket: ServerResponse,
  response: FinalResponse,
  options: SendOptions,
): Promise<void> {
  const stream = response.body as Readable;
  socket.writeHead(response.status, response.headers);
  if (options.isHead) {
    stream.destroy();
    socket.end();
    return;
  }
  dropStalledReader(socket, options.stallTimeoutMs);
  await pipeline(stream, socket).catch(() => socket.destroy());
}
