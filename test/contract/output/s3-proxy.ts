import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PassThrough, pipeline, type Transform } from 'node:stream';

/** What goes wrong with a call; undefined: nothing. */
export type Fault =
  /** Answered with 503, without having been passed on. */
  | { readonly kind: 'refused' }
  /** Never answered. */
  | { readonly kind: 'silence' }
  /** The request's body goes through `through`. */
  | { readonly kind: 'request'; readonly through: Transform }
  /** The answer comes with other headers. */
  | { readonly kind: 'headers'; readonly change: (headers: IncomingMessage['headers']) => void }
  /** The answer's body goes through `through`. */
  | { readonly kind: 'answer'; readonly through: Transform }
  | undefined;

/** Stands before an S3 server, and makes calls fail. */
export class S3Proxy {
  private constructor(private readonly server: Server) {}

  /** @param faultOf Asked for every call. */
  static async open(target: string, faultOf: (call: IncomingMessage) => Fault): Promise<S3Proxy> {
    const server = createServer((call, answer) => pass(call, answer, { target, fault: faultOf(call) }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new S3Proxy(server);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

interface Passage {
  readonly target: string;
  readonly fault: Fault;
}

function pass(call: IncomingMessage, answer: ServerResponse, { target, fault }: Passage): void {
  if (fault?.kind === 'silence') return;
  if (fault?.kind === 'refused') {
    call.resume();
    answer.writeHead(503).end();
    return;
  }
  const { method, headers, url = '/' } = call;
  const onward = request(new URL(url, target), { method, headers }, (reply) => {
    if (fault?.kind === 'headers') fault.change(reply.headers);
    answer.writeHead(reply.statusCode ?? 500, reply.headers);
    pipeline(reply, fault?.kind === 'answer' ? fault.through : new PassThrough(), answer, () => undefined);
  });
  onward.on('error', () => answer.destroy());
  pipeline(call, fault?.kind === 'request' ? fault.through : new PassThrough(), onward, () => undefined);
}
