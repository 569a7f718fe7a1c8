import type pg from 'pg';
import {
  AnswerOverdue,
  breaksConnection,
  ConnectionLost,
  type Failure,
  failureOf,
  NotSent,
  toClientError,
} from './database-error.js';
import type { PostgresPool } from './postgres-pool.js';
import { prologue, type PartitionLock, type Planning, type Purpose } from './prologue.js';
import type { PgResult, PgScope, PgStatement } from './statement.js';

/** Options of one read. */
export interface ReadOptions {
  /** Milliseconds; left out: the database's own limit. Also plans for the values instead of once for all. */
  readonly timeoutMs?: number;
  /** With a limit: planned once for all values all the same. */
  readonly isFixed?: boolean;
  /** Rows by a key, in the order of its index: see `byFhirId`. */
  readonly byKey?: true;
}

/** A transaction that is open. */
export interface PgTransaction {
  run(statements: readonly PgStatement[]): Promise<readonly PgResult[]>;
}

/** A transaction that sees what was there when it began, whatever is written meanwhile. */
export interface PgSnapshot {
  read(scope: PgScope, statements: readonly PgStatement[]): Promise<readonly PgResult[]>;
  close(): Promise<void>;
}

/** One home's way into the database: every transaction begins with the prologue that sets its scope. */
export class PostgresConnections {
  constructor(
    readonly pool: PostgresPool,
    readonly schema: string | null = null,
    private readonly planning: Planning = 'once',
  ) {}

  /**
   * One transaction of one round trip, tried a second time where the connection was to blame.
   * @throws FhirError BUSY, SEARCH_TIMEOUT
   */
  async read(
    scope: PgScope,
    statements: readonly PgStatement[],
    { timeoutMs, isFixed, byKey }: ReadOptions = {},
  ): Promise<readonly PgResult[]> {
    const quick: Purpose = byKey ? { kind: 'key' } : { kind: 'read' };
    const kind = isFixed ? 'fixed search' : 'search';
    const purpose: Purpose = timeoutMs === undefined ? quick : { kind, timeoutMs };
    return this.attempt('read', () => this.once(scope, purpose, statements));
  }

  /**
   * One transaction of one round trip. It is tried a second time only after it was rolled back for sure.
   * @throws FhirError BUSY, OUTCOME_UNKNOWN
   */
  async write(
    scope: PgScope,
    statements: readonly PgStatement[],
    lock?: PartitionLock,
  ): Promise<readonly PgResult[]> {
    return this.attempt('write', () => this.once(scope, writing(lock), statements));
  }

  /**
   * A transaction of several round trips, never tried again once `work` has begun; a throw of it rolls back.
   * @throws FhirError BUSY, OUTCOME_UNKNOWN
   */
  async transaction<Result>(
    scope: PgScope,
    work: (transaction: PgTransaction) => Promise<Result>,
    lock?: PartitionLock,
  ): Promise<Result> {
    // Without a commit nothing is changed, so that a lost answer is no harm yet.
    const first = [BEGIN, this.prologue(scope, writing(lock))];
    const client = await this.attempt('read', () => this.begin(first));
    try {
      return await this.complete(client, work);
    } catch (error) {
      this.learnFrom(error);
      throw toClientError(error, 'write');
    }
  }

  /** The same home through connections of its own. */
  sibling(poolSize: number): PostgresConnections {
    return new PostgresConnections(this.pool.sibling(poolSize), this.schema, this.planning);
  }

  /**
   * Begins a transaction that reads the present from now on. Each of its statements may take `timeoutMs`.
   * @throws FhirError BUSY
   */
  async openSnapshot(scope: PgScope, timeoutMs: number): Promise<PgSnapshot> {
    const first = [BEGIN_SNAPSHOT, this.prologue(scope, { kind: 'search', timeoutMs }), MANNERS_OF_SNAPSHOT];
    const client = await this.attempt('read', () => this.begin(first));
    let failed: unknown;
    return {
      read: async (_, statements) => {
        try {
          return await this.pool.run(client, statements, timeoutMs);
        } catch (error) {
          failed = error;
          throw toClientError(error, 'read');
        }
      },
      close: () => this.rollBack(client, failed),
    };
  }

  private async attempt<Result>(kind: 'read' | 'write', work: () => Promise<Result>): Promise<Result> {
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await work();
      } catch (error) {
        this.learnFrom(error);
        if (!isFirst || !mayRepeat(failureOf(error), kind)) throw toClientError(error, kind);
      }
    }
  }

  private learnFrom(error: unknown): void {
    if (failureOf(error) === 'pooled') this.pool.stopPreparing();
  }

  private async once(
    scope: PgScope,
    purpose: Purpose,
    statements: readonly PgStatement[],
  ): Promise<readonly PgResult[]> {
    const client = await this.pool.take();
    try {
      const allowedMs = 'timeoutMs' in purpose ? purpose.timeoutMs : 0;
      const all = [this.prologue(scope, purpose), ...statements];
      const [, ...results] = await this.pool.run(client, all, allowedMs);
      client.release();
      return results;
    } catch (error) {
      if (breaksConnection(failureOf(error))) this.pool.discard(client);
      else client.release();
      throw error;
    }
  }

  private async begin(first: readonly PgStatement[]): Promise<pg.PoolClient> {
    const client = await this.pool.take();
    try {
      await this.pool.run(client, first);
      return client;
    } catch (error) {
      await this.rollBack(client, error);
      throw error;
    }
  }

  private async complete<Result>(
    client: pg.PoolClient,
    work: (transaction: PgTransaction) => Promise<Result>,
  ): Promise<Result> {
    let isCommitting = false;
    try {
      const result = await work({ run: (statements) => this.pool.run(client, statements) });
      isCommitting = true;
      await this.pool.run(client, [COMMIT]);
      client.release();
      return result;
    } catch (error) {
      await this.rollBack(client, error);
      throw isCommitting ? commitError(error) : workError(error);
    }
  }

  private async rollBack(client: pg.PoolClient, error: unknown): Promise<void> {
    if (breaksConnection(failureOf(error))) {
      this.pool.discard(client);
      return;
    }
    try {
      await this.pool.run(client, [ROLLBACK]);
      client.release();
    } catch {
      this.pool.discard(client);
    }
  }

  private prologue(scope: PgScope, purpose: Purpose): PgStatement {
    return prologue({ scope, purpose, schema: this.schema, planning: this.planning });
  }
}

const BEGIN: PgStatement = { text: 'begin', values: [] };
/** What is seen is settled by the first statement. */
const BEGIN_SNAPSHOT: PgStatement = {
  text: 'begin transaction isolation level repeatable read read only',
  values: [],
};
/**
 * A server that stands still must not keep old rows from being cleared away for ever; and whoever opens a cursor wants
 * all of its rows.
 */
const MANNERS_OF_SNAPSHOT: PgStatement = {
  text: `select set_config('idle_in_transaction_session_timeout', '300000', true),
    set_config('cursor_tuple_fraction', '1', true)`,
  values: [],
};
const COMMIT: PgStatement = { text: 'commit', values: [] };
const ROLLBACK: PgStatement = { text: 'rollback', values: [] };

function writing(lock: PartitionLock | undefined): Purpose {
  return { kind: 'write', ...(lock ? { lock } : {}) };
}

/** What is lost before the commit was sent is rolled back by the server. */
function workError(error: unknown): unknown {
  const isLost = error instanceof ConnectionLost || error instanceof AnswerOverdue;
  return isLost ? new NotSent('lost before the commit', { cause: error }) : error;
}

/** A server that ends may say so between the commit and its answer. */
function commitError(error: unknown): unknown {
  const isDoubtful = failureOf(error) === 'unavailable' && !(error instanceof NotSent);
  return isDoubtful ? new ConnectionLost('lost in the commit', { cause: error }) : error;
}

function mayRepeat(failure: Failure, kind: 'read' | 'write'): boolean {
  switch (failure) {
    case 'again':
    case 'unavailable':
    case 'pooled':
    case 'stale':
      return true;
    case 'lost':
      return kind === 'read';
    case 'unreachable':
    case 'overdue':
    case 'refused':
      return false;
  }
}
