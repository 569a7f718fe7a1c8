import type { ExecutionContext } from 'ava';
import { Client, type ClientConfig } from 'pg';
import type { PartitionId } from '../../../src/model/partition.js';
import { PostgresConnections } from '../../../src/storage/sql/postgres/connections.js';
import { type PoolOptions, PostgresPool } from '../../../src/storage/sql/postgres/postgres-pool.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** Two partitions that every test of the wall has: who looks, and whose rows must not be seen. */
export const OWN = 1 as PartitionId;
export const FOREIGN = 2 as PartitionId;

/** A migrated database that ends with the test. */
export async function openDatabase(t: ExecutionContext): Promise<TestDatabase> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  return database;
}

/** A connection of the test's own, beside those of the server. */
export async function connectTo(
  t: ExecutionContext,
  url: string,
  config: Omit<ClientConfig, 'connectionString'> = {},
): Promise<Client> {
  const client = new Client({ connectionString: url, ...config });
  // Tests end connections on purpose.
  client.on('error', () => undefined);
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

/** What the server reaches the database through; one connection unless the test wants more. */
export function openConnections(
  t: ExecutionContext,
  url: string,
  options: Partial<PoolOptions> = {},
): PostgresConnections {
  const pool = new PostgresPool({ url, poolSize: 1, connectTimeoutMs: 2_000, ...options });
  t.teardown(() => pool.close());
  return new PostgresConnections(pool);
}

/** Error code of PostgreSQL, or of the catalogue, that the work fails with; undefined where it does not fail. */
export async function failureOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return typeof code === 'string' ? code : String(error);
  }
}
