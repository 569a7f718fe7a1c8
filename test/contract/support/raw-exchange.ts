import { connect } from 'node:net';

/** What came back over a socket, as text, with the status of its first line. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const PATIENCE_MS = 10_000;

/** Sends bytes as they are, for requests that no client would send; resolves when the server closes the connection. */
export function rawExchange(
  url: string,
  request: string | Buffer,
  options: { readonly end?: boolean } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const chunks: Buffer[] = [];
    socket.setTimeout(PATIENCE_MS, () =>
      socket.destroy(new Error('The server neither answered nor closed.')),
    );
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' && chunks.length > 0) resolve(toAnswer(chunks));
      else reject(error);
    });
    socket.on('end', () => resolve(toAnswer(chunks)));
    socket.write(request);
    if (options.end) socket.end();
  });
}

function toAnswer(chunks: readonly Buffer[]): RawAnswer {
  const [headers = '', body = ''] = Buffer.concat(chunks)
    .toString('utf8')
    .split(/\r\n\r\n(.*)/s);
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1] ?? 0),
    headers: headers.toLowerCase(),
    body,
  };
}
