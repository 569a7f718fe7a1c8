import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { PostgresServer } from '../support/postgres-server.js';
import { postgresRows, sqliteRows, type StoredRow } from '../support/stored-rows.js';
import type { StoreKind } from '../support/test-store.js';
import type { Violations } from './crash-verify.js';

/** A durable database that outlives its server's death. */
export interface CrashStore {
  /** What a server needs to know to use it. */
  readonly environment: Readonly<Record<string, string>>;
  rows(sql: string): Promise<readonly StoredRow[]>;
  /** Until nothing that a killed server began is still under way. */
  settle(): Promise<void>;
  /** What is wrong with the files as such. */
  damage(): Violations;
  dispose(): void;
}

/** A store whose database is a server of its own, that can be killed too. */
export interface CrashDatabaseServer extends CrashStore {
  readonly database: PostgresServer;
}

export async function createCrashStore(kind: StoreKind): Promise<CrashStore> {
  return kind === 'sqlite' ? createSqliteStore() : createPostgresStore();
}

function createSqliteStore(): CrashStore {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-crash-'));
  const file = join(folder, 'crash.db');
  return {
    environment: { BULKHEAD_DATABASE_URL: `sqlite:${file}` },
    rows: async (sql) => sqliteRows(file, sql),
    settle: async () => undefined,
    damage: () => {
      const db = new Database(file, { readonly: true });
      try {
        const state = db.pragma('quick_check', { simple: true }) as string;
        return state === 'ok' ? [] : [`the file is damaged: ${state}`];
      } finally {
        db.close();
      }
    },
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

/** A PostgreSQL with durable settings. */
export async function createPostgresStore(): Promise<CrashDatabaseServer> {
  const database = await PostgresServer.create('durable');
  const { url } = database;
  const active = `select count(*) from pg_stat_activity where datname = current_database()
    and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')`;
  return {
    database,
    environment: { BULKHEAD_DATABASE_URL: url },
    rows: (sql) => postgresRows([url], sql),
    settle: async () => {
      while (Number((await postgresRows([url], active))[0]?.[0] ?? 0) > 0) await pause(10);
    },
    damage: () => [],
    dispose: () => database.stop(),
  };
}
