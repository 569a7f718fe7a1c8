import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { SqlReader, SqlStatement } from '../sql-reader.js';
import { SQL_STATEMENTS } from '../sql-statements.js';
import type { SqliteDatabase } from './open.js';
import type { ReaderPool, Rows } from './reader-pool.js';
import { toReusableSql } from './reusable-sql.js';

/** Runs cheap statements at once on the main thread's read connection, and the others in worker threads. */
export class SqliteReader implements SqlReader {
  private readonly statements = new LRUCache<string, Statement>({ max: 500 });
  private readonly db: SqliteDatabase;
  private readonly pool: ReaderPool;

  constructor(db: SqliteDatabase, pool: ReaderPool) {
    this.db = db;
    this.pool = pool;
  }

  async all(statement: SqlStatement): Promise<Rows> {
    if (statement.cost === 'cheap') return this.runHere(statement);
    if (SQL_STATEMENTS.hasSubscribers) SQL_STATEMENTS.publish(statement.sql);
    return this.pool.all(this.db.name, statement);
  }

  private runHere(statement: SqlStatement): Rows {
    let prepared = this.statements.get(statement.sql);
    if (!prepared) {
      prepared = this.db.prepare(toReusableSql(statement.sql)).raw();
      this.statements.set(statement.sql, prepared);
    }
    return prepared.all(...statement.bindings) as unknown[][];
  }
}
