import { sqliteSearchDialect } from '../../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../../src/storage/sql/search-query.js';
import type { SearchPlan } from '../../../../src/storage/search-store.js';
import type { SqliteDatabase } from '../../../../src/storage/sql/sqlite/open.js';
import { scopeOf } from '../fixtures.js';
import { SKEWED_NAMES } from '../postgres/skewed-data.js';

const queries = new SearchQueries(SKEWED_NAMES, sqliteSearchDialect());

/** The steps by which SQLite finds the first page of a plan in the partitions. */
export function explainPlan(
  db: SqliteDatabase,
  plan: SearchPlan,
  partitions: readonly number[] = [1],
): readonly string[] {
  const search = { scope: scopeOf(...partitions), systemIds: SKEWED_NAMES.systemId };
  const statement = queries.page(search, plan, { count: 50 });
  if (statement === null) throw new Error('Nothing can match.');
  const steps = db.prepare(`explain query plan ${statement.sql}`).all(...statement.bindings);
  return (steps as { readonly detail: string }[]).map(({ detail }) => detail);
}
