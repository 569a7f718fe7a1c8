import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.js';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const READY_TIMEOUT_MS = 20_000;

/** The server as users run it, in a process of its own that can be killed and started again. */
export class CrashServer {
  private child: ChildProcess | undefined;
  private readonly port: number;

  private constructor(
    private readonly environment: Readonly<Record<string, string>>,
    port: number,
  ) {
    this.port = port;
  }

  /** `environment` says where the database is. */
  static async create(environment: Readonly<Record<string, string>>): Promise<CrashServer> {
    return new CrashServer(environment, await freePort());
  }

  /** FHIR base. */
  get url(): string {
    return `${this.origin}/fhir`;
  }

  /** Of the probes. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** @throws Error where the server ends or is not ready in time. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'serve'], {
      env: {
        ...process.env,
        ...this.environment,
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
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.child = undefined;
  }

  /** Stops it where it stands, as a machine that sleeps: it does not notice, and clients wait. */
  suspend(): void {
    this.child?.kill('SIGSTOP');
  }

  /** It goes on, and does not know that time has passed. */
  resume(): void {
    this.child?.kill('SIGCONT');
  }

  private async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.origin}/readyz`);
      return response.ok;
    } catch {
      return false;
    }
  }
}
