import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.js';
import { findPostgres, type PostgresBinaries, postgresUser } from './postgres-binaries.js';

const run = promisify(execFile);

/**
 * `durable` keeps what it acknowledged through a crash, as in production. `fast` differs in that alone: it is for
 * tests that never pull a plug.
 */
export type Durability = 'fast' | 'durable';

const SETTINGS: Readonly<Record<Durability, readonly string[]>> = {
  fast: ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_wal_size=4GB'],
  durable: ['fsync=on', 'full_page_writes=on', 'synchronous_commit=on'],
};
const COMMON = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=1500',
  'shared_buffers=128MB',
  // Every connection proves its password, and tests open thousands.
  'password_encryption=md5',
];

/** The login of the servers under test: it may make roles and databases, and is no superuser. */
const LOGIN = 'bulkhead';
const START_TIMEOUT_MS = 30_000;

/**
 * A PostgreSQL in a temporary folder, on a free port of the loopback address. It ends with this process at the
 * latest, and its folder with it.
 */
export class PostgresServer {
  private child: ChildProcess | undefined;
  private readonly dispose = (): void => this.discard();

  private constructor(
    private readonly folder: string,
    private readonly binaries: PostgresBinaries,
    private readonly options: { readonly durability: Durability; readonly port: number },
    private readonly password: string,
  ) {}

  /** @throws Error where it does not come up; the message holds its log. */
  static async create(durability: Durability): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-postgres-'));
    const user = postgresUser();
    if (user) chownSync(folder, user.uid, user.gid);
    const password = randomBytes(12).toString('hex');
    const options = { durability, port: await freePort() };
    const server = new PostgresServer(folder, findPostgres(folder), options, password);
    process.once('exit', server.dispose);
    await server.initialize();
    await server.start();
    await server.createLogin();
    return server;
  }

  /** A database of the servers under test, and their login. */
  get url(): string {
    return this.urlOf(LOGIN, LOGIN);
  }

  /** For somebody whom no policy concerns. */
  get superuserUrl(): string {
    return this.urlOf('postgres');
  }

  get port(): number {
    return this.options.port;
  }

  /** Starts it again after `kill`, on the same port with the same data. */
  async start(): Promise<void> {
    const end = Date.now() + START_TIMEOUT_MS;
    while (!(await this.comesUp(end))) {
      // What a killed server leaves in shared memory stays until the last of its processes is gone.
      if (Date.now() > end) throw new Error(`PostgreSQL does not start:\n${this.log()}`);
      await pause(50);
    }
  }

  /** As a power switch would: every process of the server at once. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined) return;
    const ended = once(child, 'exit');
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const backends = stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === child.pid);
    child.kill('SIGKILL');
    for (const [pid] of backends) if (pid !== undefined) killIfThere(pid);
    await ended;
    this.child = undefined;
  }

  /** Ends it, and removes its folder. */
  stop(): void {
    process.off('exit', this.dispose);
    this.discard();
  }

  private urlOf(user: string, database = 'postgres'): string {
    return `postgres://${user}:${this.password}@127.0.0.1:${this.options.port}/${database}`;
  }

  private async initialize(): Promise<void> {
    const secret = join(this.folder, 'password');
    const user = postgresUser();
    writeFileSync(secret, this.password, { mode: 0o600 });
    if (user) chownSync(secret, user.uid, user.gid);
    const flags = ['--username=postgres', '--auth=password', `--pwfile=${secret}`, '--no-sync'];
    const locale = ['--encoding=UTF8', '--locale=C'];
    await run(this.binaries.initdb, ['-D', this.data, ...flags, ...locale], { cwd: this.folder, ...user });
  }

  private async createLogin(): Promise<void> {
    const client = new Client({ connectionString: this.urlOf('postgres') });
    await client.connect();
    await client.query(`create role ${LOGIN} login createrole createdb password '${this.password}'`);
    await client.query(`create database ${LOGIN} owner ${LOGIN}`);
    await client.end();
  }

  /** False where it ended at once. */
  private async comesUp(end: number): Promise<boolean> {
    const settings = [...COMMON, ...SETTINGS[this.options.durability]].flatMap((setting) => ['-c', setting]);
    const log = openSync(join(this.folder, 'log'), 'a');
    // A session of its own: Ctrl-C ends the tests, who then end the server.
    const child = spawn(
      this.binaries.postgres,
      ['-D', this.data, '-p', String(this.options.port), ...settings],
      {
        cwd: this.folder,
        detached: true,
        stdio: ['ignore', log, log],
        ...postgresUser(),
      },
    );
    this.child = child;
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers(this.urlOf('postgres'))) return true;
      if (Date.now() > end) return false;
      await pause(30);
    }
    return false;
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4000);
  }

  /** Without waiting for the event loop, so that it works at the end of the process too. */
  private discard(): void {
    const stop = ['stop', '-D', this.data, '-m', 'immediate', '-w', '-t', '10', '-s'];
    spawnSync(this.binaries.pgCtl, stop, { cwd: this.folder, stdio: 'ignore', ...postgresUser() });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
  } catch {
    return false;
  }
  await client.end();
  return true;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
