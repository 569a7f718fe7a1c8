import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/settings/schema.js';
import { PostgresDatabases } from './postgres-databases.js';
import { postgresRows, sqliteRows, type StoredRow } from './stored-rows.js';
import { placementUnderTest, storeUnderTest } from './test-store.js';

/** A database of the store under test. */
export interface TestDatabase {
  readonly url: string;
  /** What a server needs to know to use it. */
  readonly settings: Partial<Settings>;
  /** What a statement finds, in the main database and in the homes of single partitions. */
  rows(sql: string): Promise<readonly StoredRow[]>;
  /** Removes it; a second time does nothing. */
  drop(): Promise<void>;
}

/** A database that one server after another, or several at once, may open. */
export async function createTestDatabase(): Promise<TestDatabase> {
  if (storeUnderTest() === 'sqlite') return createSqliteFile();
  const databases = PostgresDatabases.ofThisRun();
  return postgresDatabase(databases, await databases.create());
}

/** The same without a schema. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  if (storeUnderTest() === 'sqlite') return createSqliteFile();
  const databases = PostgresDatabases.ofThisRun();
  return postgresDatabase(databases, await databases.createEmpty());
}

/** A database for one server, as cheap as the store has it. */
export async function createPrivateDatabase(): Promise<Pick<TestDatabase, 'settings' | 'drop'>> {
  if (storeUnderTest() !== 'sqlite') return createTestDatabase();
  return { settings: settingsOf('sqlite::memory:'), drop: async () => undefined };
}

async function createSqliteFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-test-'));
  const file = join(folder, 'test.db');
  const url = `sqlite:${file}`;
  return {
    url,
    settings: settingsOf(url),
    rows: async (sql) => sqliteRows(file, sql),
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

function postgresDatabase(databases: PostgresDatabases, name: string): TestDatabase {
  const url = databases.serverUrlOf(name);
  return {
    url,
    settings: settingsOf(url),
    rows: async (sql) =>
      postgresRows(
        (await databases.family(name)).map((one) => databases.urlOf(one)),
        sql,
      ),
    drop: () => databases.drop(name),
  };
}

function settingsOf(databaseUrl: string): Partial<Settings> {
  return { databaseUrl, placement: placementUnderTest() };
}
