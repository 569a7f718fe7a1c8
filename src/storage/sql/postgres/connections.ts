import pg from 'pg';
import { ConnectionLost, type Failure, failureOf, NotConnected, toClientError } from './database-error.js';
import { Pipeline, type ConnectionState } from './pipeline.js';
import { prologue, type PartitionLock, type Purpose } from './prologue.js';
import type { PgResult, PgScope, PgStatement } from './statement.js';

/** Where the database is, and how many connections may be open. */
export interface ConnectionsOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Longest wait for a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** Options of one read. */
export interface ReadOptions {
  /** Milliseconds; left out: the database's own limit. Also plans for the values instead of once for all. */
  readonly timeoutMs?: number;
}

/** A transaction that is open. */
export interface PgTransaction {
  run(statements: readonly PgStatement[]): Promise<readonly PgResult[]>;
}

/** The pool, shared by the homes in one database. */
export class PostgresPool {
  private readonly pool: pg.Pool;
  private readonly states = new WeakMap<pg.PoolClient, ConnectionState>();
  private prepares = true;

  constructor(options: ConnectionsOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.poolSize,
      connectionTimeoutMillis: options.connectTimeoutMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: 'bulkhead',
    });
    // A connection that breaks while it is idle leaves the pool by itself.
    this.pool.on('error', () => undefined);
  }

  /** How many connections may be open at once. */
  get size(): number {
    return this.pool.options.max;
  }

  /** @throws NotConnected */
  async take(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw new NotConnected('no connection', { cause: error });
    }
  }

  /** Runs the statements on a connection, in one round trip. */
  run(client: pg.PoolClient, statements: readonly PgStatement[]): Promise<readonly PgResult[]> {
    return new Promise((resolve, reject) => {
      const pipeline = new Pipeline(statements, this.stateOf(client), {
        resolve,
        reject: (error) => reject(toConnectionError(error, pipeline.isSent)),
      });
      client.query(pipeline);
    });
  }

  /** From now on nothing is prepared: a pooler gives each transaction another backend. */
  stopPreparing(): void {
    this.prepares = false;
  }

  async close(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }

  private stateOf(client: pg.PoolClient): ConnectionState {
    let state = this.states.get(client);
    if (!state) {
      state = { prepared: new Map(), doubtful: new Set(), mayPrepare: () => this.prepares };
      this.states.set(client, state);
      client.on('error', () => undefined);
    }
    return state;
  }
}

/** One home's way into the database: every transaction begins with the prologue that sets its scope. */
export class PostgresConnections {
  constructor(
    readonly pool: PostgresPool,
    private readonly schema: string | null = null,
  ) {}

  /** One transaction of one round trip, tried a second time where the connection was to blame. */
  async read(
    scope: PgScope,
    statements: readonly PgStatement[],
    { timeoutMs }: ReadOptions = {},
  ): Promise<readonly PgResult[]> {
    const purpose: Purpose = timeoutMs === undefined ? { kind: 'read' } : { kind: 'search', timeoutMs };
    return this.attempt('read', () => this.once(scope, purpose, statements));
  }

  /** One transaction of one round trip. It is tried a second time only after it was rolled back for sure. */
  async write(
    scope: PgScope,
    statements: readonly PgStatement[],
    lock?: PartitionLock,
  ): Promise<readonly PgResult[]> {
    return this.attempt('write', () => this.once(scope, writing(lock), statements));
  }

  /** A transaction of several round trips; a throw of `work` rolls it back. */
  async transaction<Result>(
    scope: PgScope,
    work: (transaction: PgTransaction) => Promise<Result>,
    lock?: PartitionLock,
  ): Promise<Result> {
    return this.attempt('write', () => this.begin(scope, lock, work), 1);
  }

  private async attempt<Result>(
    kind: 'read' | 'write',
    work: () => Promise<Result>,
    tries = 2,
  ): Promise<Result> {
    for (let turn = 1; ; turn++) {
      try {
        return await work();
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'pooled') this.pool.stopPreparing();
        if (turn >= tries || !mayRepeat(failure, kind)) throw toClientError(error, kind);
      }
    }
  }

  private async once(
    scope: PgScope,
    purpose: Purpose,
    statements: readonly PgStatement[],
  ): Promise<readonly PgResult[]> {
    const client = await this.pool.take();
    try {
      const [, ...results] = await this.pool.run(client, [this.prologue(scope, purpose), ...statements]);
      client.release();
      return results;
    } catch (error) {
      client.release(isBroken(failureOf(error)));
      throw error;
    }
  }

  private async begin<Result>(
    scope: PgScope,
    lock: PartitionLock | undefined,
    work: (transaction: PgTransaction) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.pool.take();
    let committing = false;
    try {
      await this.pool.run(client, [BEGIN, this.prologue(scope, writing(lock))]);
      const result = await work({ run: (statements) => this.pool.run(client, statements) });
      committing = true;
      await this.pool.run(client, [COMMIT]);
      client.release();
      return result;
    } catch (error) {
      await this.rollBack(client, error);
      // What is lost before the commit was sent is rolled back by the server.
      if (!committing && error instanceof ConnectionLost) throw new NotConnected('lost', { cause: error });
      throw error;
    }
  }

  private async rollBack(client: pg.PoolClient, error: unknown): Promise<void> {
    if (isBroken(failureOf(error))) {
      client.release(true);
      return;
    }
    try {
      await this.pool.run(client, [ROLLBACK]);
      client.release();
    } catch {
      client.release(true);
    }
  }

  private prologue(scope: PgScope, purpose: Purpose): PgStatement {
    return prologue({ scope, purpose, schema: this.schema });
  }
}

const BEGIN: PgStatement = { name: 'begin', text: 'begin', values: [] };
const COMMIT: PgStatement = { name: 'commit', text: 'commit', values: [] };
const ROLLBACK: PgStatement = { name: 'rollback', text: 'rollback', values: [] };

function writing(lock: PartitionLock | undefined): Purpose {
  return { kind: 'write', ...(lock ? { lock } : {}) };
}

/** pg's own errors tell nothing of what the server did; the server's errors do. */
function toConnectionError(error: unknown, isSent: boolean): unknown {
  if (error instanceof pg.DatabaseError) return error;
  return isSent ? new ConnectionLost('lost', { cause: error }) : new NotConnected('lost', { cause: error });
}

function mayRepeat(failure: Failure, kind: 'read' | 'write'): boolean {
  if (failure === 'refused') return false;
  return failure !== 'lost' || kind === 'read';
}

function isBroken(failure: Failure): boolean {
  return failure === 'unavailable' || failure === 'lost' || failure === 'stale';
}
