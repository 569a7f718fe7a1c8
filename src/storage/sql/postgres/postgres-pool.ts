import { createHash } from 'node:crypto';
import pg from 'pg';
import {
  AnswerOverdue,
  breaksConnection,
  ConnectionLost,
  failureOf,
  NotSent,
  toClientError,
  Unreachable,
} from './database-error.js';
import { Pipeline, type ConnectionState } from './pipeline.js';
import type { PgResult, PgStatement } from './statement.js';

/** Where the database is, and how many connections may be open. */
export interface PoolOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Longest wait for a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest wait for an answer beyond what the statements themselves are allowed, in milliseconds; 60 s if left out. */
  readonly answerTimeoutMs?: number;
}

const ANSWER_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 30_000;
/** After this time without a packet a peer that has gone silently is looked for. */
const KEEP_ALIVE_MS = 10_000;
const DIGEST_LENGTH = 16;
const BESIDE = 'bulkhead statistics';

/** Connections to one database, shared by the homes in it. */
export class PostgresPool {
  private readonly pool: pg.Pool;
  private readonly answerTimeoutMs: number;
  private readonly states = new WeakMap<pg.PoolClient, ConnectionState & { readonly generation: number }>();
  private readonly digests = new Map<string, string>();
  private prepares = true;
  private generation = 0;
  private beside: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: PoolOptions) {
    const { url, poolSize, connectTimeoutMs, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
    this.answerTimeoutMs = answerTimeoutMs;
    this.pool = new pg.Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      application_name: 'bulkhead',
    });
    // A connection that breaks while it is idle leaves the pool by itself; whoever uses it hears of it by its query.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** How many connections may be open at once. */
  get size(): number {
    return this.pool.options.max;
  }

  /** Other connections to the same database, none of which is made before it is used. */
  sibling(poolSize: number): PostgresPool {
    return new PostgresPool({ ...this.options, poolSize });
  }

  /** @throws Unreachable */
  async take(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.connect();
      if (this.stateOf(client).generation === this.generation) return client;
      client.release(true);
    }
  }

  /**
   * What only the owner of the tables may do or see, in no scope and with pg's own queries.
   * @throws FhirError BUSY where the database cannot be reached; pg.DatabaseError where it refuses
   */
  async asOwner<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient | undefined;
    try {
      client = await this.take();
      const result = await work(client);
      client.release();
      return result;
    } catch (thrown) {
      // Where a connection breaks pg has errors of no class.
      const isTold = thrown instanceof pg.DatabaseError || thrown instanceof Unreachable;
      const error = isTold ? thrown : new ConnectionLost('lost', { cause: thrown });
      const failure = failureOf(error);
      if (breaksConnection(failure) && client) this.discard(client);
      else client?.release();
      throw failure === 'refused' || failure === 'again' ? error : toClientError(error, 'read');
    }
  }

  /**
   * The owner's work on a connection beside the pool's, one piece at a time: no request waits for it. The connection
   * ends with the work, and at once with the signal. @throws Error as of pg
   */
  async besideRequests<Result>(
    work: (client: pg.Client) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const turn = this.beside.then(() => this.onOwnConnection(work, signal));
    this.beside = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Runs the statements on a connection, in one round trip. `allowedMs` is what they may take by themselves.
   * @throws pg.DatabaseError, NotSent, ConnectionLost, AnswerOverdue
   */
  run(
    client: pg.PoolClient,
    statements: readonly PgStatement[],
    allowedMs = 0,
  ): Promise<readonly PgResult[]> {
    return new Promise((resolve, reject) => {
      let isOverdue = false;
      const timer = setTimeout(() => {
        isOverdue = true;
        streamOf(client).destroy();
      }, this.answerTimeoutMs + allowedMs);
      const pipeline = new Pipeline(statements, this.stateOf(client), {
        resolve: (results) => {
          clearTimeout(timer);
          resolve(results);
        },
        reject: (error) => {
          clearTimeout(timer);
          const cause = { cause: error };
          reject(isOverdue ? new AnswerOverdue('no answer in time', cause) : brokenBy(error, pipeline));
        },
      });
      client.query(pipeline);
    });
  }

  /** From now on nothing is prepared: a pooler gives each transaction another backend. */
  stopPreparing(): void {
    this.prepares = false;
  }

  /**
   * Ends a connection that broke or leads to the wrong server. So may all that were made before it broke: each is made
   * anew before it is used again.
   */
  discard(client: pg.PoolClient): void {
    if (this.stateOf(client).generation === this.generation) this.generation++;
    client.release(true);
  }

  async close(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }

  private async onOwnConnection<Result>(
    work: (client: pg.Client) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    signal.throwIfAborted();
    const { connectionString, connectionTimeoutMillis } = this.pool.options;
    const client = new pg.Client({ connectionString, connectionTimeoutMillis, application_name: BESIDE });
    client.on('error', () => undefined);
    const end = (): void => void client.end().catch(() => undefined);
    signal.addEventListener('abort', end);
    try {
      await client.connect();
      return await work(client);
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  private async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw new Unreachable(`The database cannot be reached: ${(error as Error).message}`, { cause: error });
    }
  }

  private stateOf(client: pg.PoolClient): ConnectionState & { readonly generation: number } {
    let state = this.states.get(client);
    if (!state) {
      const nameOf = (statement: PgStatement): string => this.nameOf(statement);
      state = { prepared: new Map(), doubtful: new Set(), nameOf, generation: this.generation };
      this.states.set(client, state);
    }
    return state;
  }

  /**
   * Equal names mean equal texts, also where a pooler shares backends among servers of several versions: then a
   * statement may be missing, or be there already, but is never another one.
   */
  private nameOf({ name, text }: PgStatement): string {
    if (name === undefined || !this.prepares) return '';
    let digest = this.digests.get(text);
    if (digest === undefined) {
      digest = createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_LENGTH);
      this.digests.set(text, digest);
    }
    return digest;
  }
}

function streamOf(client: pg.PoolClient): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection
    .stream;
}

/** pg's own errors tell nothing of what the server did; the server's errors do, but for those in the commit. */
function brokenBy(error: unknown, pipeline: Pipeline): unknown {
  const isServers = error instanceof pg.DatabaseError;
  if (isServers && !(pipeline.isComplete && failureOf(error) === 'unavailable')) return error;
  return pipeline.isSent
    ? new ConnectionLost('lost', { cause: error })
    : new NotSent('lost', { cause: error });
}
