import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection of which everything is seen: what came, and when it ended. */
export interface OpenSocket {
  readonly socket: Socket;
  /** Resolves with all that came as soon as the server has closed, or with undefined after the patience. */
  closed(patienceMs?: number): Promise<string | undefined>;
  text(): string;
}

const PATIENCE_MS = 15_000;

/** Connects, sends the text, and leaves the connection open. */
export async function openSocket(url: string, text = ''): Promise<OpenSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  let isClosed = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  const closing = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      resolve();
    });
  });
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  const seen = (): string => Buffer.concat(chunks).toString('latin1');
  return {
    socket,
    text: seen,
    async closed(patienceMs = PATIENCE_MS) {
      const patience = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
      await Promise.race([closing, patience]);
      return isClosed ? seen() : undefined;
    },
  };
}

/** Statuses of all answers that came over one connection, in order. */
export function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}
