import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const READY_TIMEOUT_MS = 20_000;

/** The server as users run it, in a process of its own that can be killed and started again. */
export class CrashServer {
  private child: ChildProcess | undefined;
  private readonly port: number;
  readonly file: string;

  private constructor(file: string, port: number) {
    this.file = file;
    this.port = port;
  }

  static async create(file: string): Promise<CrashServer> {
    return new CrashServer(file, await freePort());
  }

  /** FHIR base. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/fhir`;
  }

  /** @throws Error where the server ends or is not ready in time. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'serve'], {
      env: {
        ...process.env,
        BULKHEAD_DATABASE_URL: `sqlite:${this.file}`,
        BULKHEAD_PORT: String(this.port),
        BULKHEAD_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.child = child;
    const end = Date.now() + READY_TIMEOUT_MS;
    while (!(await this.isReady())) {
      if (child.exitCode !== null) throw new Error(`The server ended with code ${child.exitCode}.`);
      if (Date.now() > end) throw new Error('The server does not get ready.');
      await pause(20);
    }
  }

  /** As a power switch would: no signal handler runs. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.child = undefined;
  }

  private async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/readyz`);
      return response.ok;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
