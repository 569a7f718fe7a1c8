import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a proxy does with bytes on their way to the server: `true` passes them on. */
export type Watch = (bytes: Buffer) => boolean;

/** A TCP proxy in front of a database that breaks connections when it is told to. */
export class TcpProxy {
  /** Bytes of clients; replaced by tests. */
  onRequest: Watch = () => true;
  /** Bytes of the server. */
  onAnswer: Watch = () => true;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly target: URL,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** In front of the database of the URL. */
  static async open(url: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, new URL(url));
  }

  /** The same database through the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Everything that is connected. */
  cutAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    this.cutAll();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    const upstream = connect(Number(this.target.port), this.target.hostname);
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
    }
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
    client.on('data', (bytes) => {
      if (this.onRequest(bytes)) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (this.onAnswer(bytes)) client.write(bytes);
    });
  }
}
