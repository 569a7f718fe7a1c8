import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import Database from 'better-sqlite3';

/** What a call goes to. */
export type Target = 'database' | 'file' | 's3';

/** `before`: the call is not made; `after`: it is made, and its answer is lost. */
export type Moment = 'before' | 'after';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Makes one call to the outside fail. It stands between the server and its drivers in this very process, so that calls
 * can be counted: those of SQLite's main connection, packets to PostgreSQL, files below a folder, and requests to S3.
 */
export class FaultInjection {
  private armed: { readonly at: number; readonly moment: Moment } | undefined;
  private calls = 0;
  private struck: string | undefined;

  private constructor(private readonly place: { readonly folder: string; readonly databasePort: number }) {}

  /** From now on calls pass through it. `folder` is where files may fail, `databasePort` PostgreSQL's. */
  static async install(place: {
    readonly folder: string;
    readonly databasePort: number;
  }): Promise<FaultInjection> {
    const injection = new FaultInjection(place);
    injection.watchSqlite();
    injection.watchPostgres();
    await injection.watchFiles();
    injection.watchS3();
    return injection;
  }

  /** The call of this number fails, counted from one. */
  arm(at: number, moment: Moment): void {
    this.armed = { at, moment };
    this.calls = 0;
    this.struck = undefined;
  }

  /** Nothing fails any more. Answers what has failed; undefined where there were fewer calls. */
  disarm(): string | undefined {
    this.armed = undefined;
    return this.struck;
  }

  /** When the call that is made now fails; undefined where it does not. */
  private strike(name: string): Moment | undefined {
    if (this.armed === undefined || ++this.calls !== this.armed.at) return undefined;
    this.struck = name;
    return this.armed.moment;
  }

  private watchSqlite(): void {
    const db = new Database(':memory:');
    const statement = Object.getPrototypeOf(db.prepare('select 1')) as Record<string, Method>;
    db.close();
    for (const name of ['run', 'get', 'all'] as const) {
      const method = statement[name]!;
      const strike = (self: unknown): Moment | undefined =>
        this.strike(`SQLite ${name}: ${String((self as { source?: string }).source).slice(0, 60)}`);
      statement[name] = function call(...args) {
        // What SQLite has done it has answered: a lost answer is for what is reached over a wire.
        if (strike(this) !== undefined) throw new Database.SqliteError('disk I/O error', 'SQLITE_IOERR');
        return method.apply(this, args);
      };
    }
  }

  private watchPostgres(): void {
    const write = Socket.prototype.write as Method;
    const strike = (socket: unknown): Moment | undefined =>
      (socket as Socket).remotePort === this.place.databasePort
        ? this.strike('a packet to PostgreSQL')
        : undefined;
    Socket.prototype.write = function call(this: Socket, ...args: unknown[]) {
      const moment = strike(this);
      if (moment === 'before') {
        this.destroy(reset());
        return false;
      }
      if (moment === 'after') {
        this.removeAllListeners('data');
        this.once('data', () => this.destroy(reset()));
      }
      return write.apply(this, args) as boolean;
    } as Socket['write'];
  }

  private async watchFiles(): Promise<void> {
    const { folder } = this.place;
    const promises = fs.promises as unknown as Record<string, Method>;
    const handle = await fs.promises.open(import.meta.filename, 'r');
    const prototype = Object.getPrototypeOf(handle) as Record<string, Method>;
    await handle.close();
    const ours = new WeakSet<object>();
    const open = promises['open']!;
    for (const name of ['open', 'mkdir', 'rename', 'rm', 'readdir', 'stat']) {
      const method = name === 'open' ? open : promises[name]!;
      this.watch(promises, name, {
        method,
        target: 'file',
        isOurs: ([path]) => String(path).startsWith(folder),
      });
    }
    const watchedOpen = promises['open']!;
    promises['open'] = async (...args: unknown[]) => {
      const opened = (await watchedOpen(...args)) as object;
      if (String(args[0]).startsWith(folder)) ours.add(opened);
      return opened;
    };
    for (const name of ['write', 'writev', 'read', 'sync', 'datasync', 'stat']) {
      const method = prototype[name];
      const isOurs = (_: readonly unknown[], self: unknown): boolean => ours.has(self as object);
      if (method) this.watch(prototype, name, { method, target: 'file', isOurs });
    }
    syncBuiltinESMExports();
  }

  private watchS3(): void {
    const prototype = S3Client.prototype as unknown as Record<string, Method>;
    this.watch(prototype, 'send', { method: prototype['send']!, target: 's3', isOurs: () => true });
  }

  private watch(owner: Record<string, Method>, name: string, { method, target, isOurs }: Watched): void {
    const strike = (args: readonly unknown[], self: unknown): Moment | undefined =>
      isOurs(args, self) ? this.strike(`${target} ${name}`) : undefined;
    owner[name] = async function call(...args) {
      const moment = strike(args, this);
      if (moment === 'before') throw failed(target);
      const result = await method.apply(this, args);
      if (moment === undefined) return result;
      // A file that nobody knows to be open would stay so.
      await (result as { close?: () => Promise<void> } | undefined)?.close?.();
      throw failed(target);
    };
  }
}

interface Watched {
  readonly method: Method;
  readonly target: Exclude<Target, 'database'>;
  readonly isOurs: (args: readonly unknown[], self: unknown) => boolean;
}

function failed(target: Target): Error {
  if (target === 'file') return Object.assign(new Error('EIO: i/o error'), { code: 'EIO', errno: -5 });
  return Object.assign(new Error('Service Unavailable'), {
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
}

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}
