import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { SqlReader, SqlStatement } from '../sql-reader.js';
import { SQL_STATEMENTS } from '../sql-statements.js';
import type { SqliteDatabase } from './open.js';
import type { ReaderPool, Rows } from './reader-pool.js';
import { toReusableSql } from './reusable-sql.js';

/** Runs cheap and short statements at once on the main thread's read connection, and the others in worker threads. */
export class SqliteReader implements SqlReader {
  private readonly statements = new LRUCache<string, Statement>({ max: 500 });
  private readonly db: SqliteDatabase;
  private readonly pool: ReaderPool;

  constructor(db: SqliteDatabase, pool: ReaderPool) {
    this.db = db;
    this.pool = pool;
  }

  async all(statement: SqlStatement): Promise<Rows> {
    if (statement.cost === 'cheap' || this.isShort(statement)) return this.runHere(statement);
    if (SQL_STATEMENTS.hasSubscribers) SQL_STATEMENTS.publish(statement.sql);
    return this.pool.all(this.db.name, statement);
  }

  private isShort({ probe }: SqlStatement): boolean {
    return probe !== undefined && Number(this.runHere(probe)[0]?.[0]) < probe.most;
  }

  private runHere(statement: Pick<SqlStatement, 'sql' | 'bindings'>): Rows {
    let prepared = this.statements.get(statement.sql);
    if (!prepared) {
      prepared = this.db.prepare(toReusableSql(statement.sql)).raw();
      this.statements.set(statement.sql, prepared);
    }
    return prepared.all(...statement.bindings) as unknown[][];
  }
}
