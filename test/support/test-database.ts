import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/settings/schema.js';
import { PostgresDatabases } from './postgres-databases.js';
import { postgresRows, sqliteFiles, sqliteRows, type StoredRow } from './stored-rows.js';
import {
  type DatabaseContents,
  placementUnderTest,
  SQLITE_TEMPLATE_VARIABLE,
  storeUnderTest,
  templateOf,
} from './test-store.js';

/** A database of the store under test. */
export interface TestDatabase {
  readonly url: string;
  /** What a server needs to know to use it. */
  readonly settings: Partial<Settings>;
  /** Of the main database, and of those of single partitions. */
  urls(): Promise<readonly string[]>;
  /** What a statement finds, in the main database and in the homes of single partitions. */
  rows(sql: string): Promise<readonly StoredRow[]>;
  /** Removes it; a second time does nothing. */
  drop(): Promise<void>;
}

/** A database that one server after another, or several at once, may open. */
export async function createTestDatabase(contents: DatabaseContents = 'nothing'): Promise<TestDatabase> {
  if (storeUnderTest() === 'sqlite') {
    const empty = process.env[SQLITE_TEMPLATE_VARIABLE];
    return createSqliteFile(empty === undefined ? undefined : templateOf(empty, contents));
  }
  const databases = PostgresDatabases.ofThisRun();
  return postgresDatabase(databases, await databases.create(contents));
}

/** The same without a schema. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  if (storeUnderTest() === 'sqlite') return createSqliteFile();
  const databases = PostgresDatabases.ofThisRun();
  return postgresDatabase(databases, await databases.createEmpty());
}

/** Tests that are run without the runner have no template: their servers migrate for themselves. */
async function createSqliteFile(template?: string): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-test-'));
  const file = join(folder, 'test.db');
  if (template !== undefined) await copyFile(template, file);
  const url = `sqlite:${file}`;
  return {
    url,
    settings: settingsOf(url),
    urls: async () => sqliteFiles(file).map((one) => `sqlite:${one}`),
    rows: async (sql) => sqliteRows(file, sql),
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

function postgresDatabase(databases: PostgresDatabases, name: string): TestDatabase {
  const url = databases.serverUrlOf(name);
  const exports = join(tmpdir(), `bulkhead-exports-${name}`);
  const urls = async (): Promise<readonly string[]> =>
    (await databases.family(name)).map((one) => databases.urlOf(one));
  return {
    url,
    settings: { ...settingsOf(url), exportDir: exports },
    urls,
    rows: async (sql) => postgresRows(await urls(), sql),
    drop: async () => {
      await rm(exports, { recursive: true, force: true });
      await databases.drop(name);
    },
  };
}

function settingsOf(databaseUrl: string): Partial<Settings> {
  return { databaseUrl, placement: placementUnderTest() };
}
