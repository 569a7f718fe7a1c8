import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Settings } from '../settings/schema.js';

const KEEP_ALIVE_MS = 65_000;
/** How often Node looks for heads and requests that are late, in milliseconds. */
const LEAST_CHECK_MS = 50;
const MOST_CHECK_MS = 2_000;

/** What Node's HTTP server is made with: how large and how slow a request may be. */
export function serverOptions(
  settings: Pick<Settings, 'headersTimeoutMs' | 'requestTimeoutMs' | 'maxHeaderBytes'>,
): ServerOptions {
  const { headersTimeoutMs, requestTimeoutMs, maxHeaderBytes } = settings;
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeoutMs);
  return {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.max(LEAST_CHECK_MS, Math.min(MOST_CHECK_MS, headersTimeout / 4)),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Looked for with the rest of the head: Node's own answer would be an empty one.
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
}

/** Bounds how many connections are open, in all and for each address, and how long one is used. */
export function limitConnections(
  server: Server,
  settings: Pick<Settings, 'maxConnections' | 'maxConnectionsPerAddress' | 'maxRequestsPerConnection'>,
): void {
  server.maxConnections = settings.maxConnections;
  server.maxRequestsPerSocket = settings.maxRequestsPerConnection;
  // Their size and number are limited elsewhere; Node drops what is beyond this one in silence, an If-Match for example.
  server.maxHeadersCount = 0;
  if (settings.maxConnectionsPerAddress > 0) limitAddresses(server, settings.maxConnectionsPerAddress);
}

function limitAddresses(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = open.get(address) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

/**
 * Whether a request may be served: one connection can ask thousands of things in one packet, without reading any
 * answer, and each answer would wait in memory. One more than `most` ends the connection.
 */
export function pipelineLimit(most: number): (request: IncomingMessage, response: ServerResponse) => boolean {
  const waiting = new WeakMap<Socket, number>();
  return ({ socket }, response) => {
    // A response gets the socket when it is its turn: most of them at once.
    if (response.socket !== null) return true;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return false;
    }
    waiting.set(socket, count);
    response.once('socket', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
    return true;
  };
}

/**
 * Cuts the connection if the client takes nothing of an answer for so long that it waits in memory. Time that the
 * server takes to say more does not count.
 */
export function dropStalledReader(response: ServerResponse, stallTimeoutMs: number): void {
  response.setTimeout(stallTimeoutMs, (socket?: Socket) => {
    if (socket !== undefined && socket.writableLength > 0) socket.destroy();
  });
}
